import { describe, expect, it } from 'vitest';
import type { ConfigError } from './config.ts';
import { loadConfig, ShellEnvironment } from './config.ts';

const problemsOf = (environment: Record<string, string>) => {
  try {
    loadConfig(ShellEnvironment, environment);
    return [];
  } catch (error) {
    return (error as ConfigError).problems.map(({ variable }) => variable);
  }
};

describe('the environment of a process', () => {
  it('has defaults for what is absent or empty', () => {
    const config = loadConfig(ShellEnvironment, { LOG_LEVEL: '' });
    expect(config).toMatchObject({ HOST: '127.0.0.1', LOG_LEVEL: 'info', DATABASE_POOL_MAX: 10, PORT: undefined });
  });

  it('turns texts into numbers and flags', () => {
    expect(loadConfig(ShellEnvironment, { PORT: '0', TOCSIN_DEVELOPMENT: 'yes' })).toMatchObject({
      PORT: 0,
      TOCSIN_DEVELOPMENT: true,
    });
  });

  it.each([
    ['PORT', '70000'],
    ['PORT', 'http'],
    ['DATABASE_URL', 'mysql://x'],
    ['KAFKA_BROKERS', 'localhost'],
    ['TOCSIN_KEY_RING', 'k1:short'],
    ['TOCSIN_API_KEY_PEPPER', 'short'],
    ['LOG_LEVEL', 'loud'],
    ['TOCSIN_DEVELOPMENT', 'perhaps'],
    ['TOCSIN_PUBLIC_URL', 'tocsin'],
  ])('names %s when it is %s', (variable, value) => {
    expect(problemsOf({ [variable]: value })).toEqual([variable]);
  });

  it('names every bad variable, never its value', () => {
    const error = (() => {
      try {
        return loadConfig(ShellEnvironment, { TOCSIN_API_KEY_PEPPER: 'short', PORT: '-1' });
      } catch (e) {
        return e as Error;
      }
    })() as Error;
    expect(error.message).toContain('TOCSIN_API_KEY_PEPPER');
    expect(error.message).toContain('PORT');
    expect(error.message).not.toContain('short;');
  });
});
