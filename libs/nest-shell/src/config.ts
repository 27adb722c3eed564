import 'reflect-metadata';
import type { Provider } from '@nestjs/common';
import { ConfigService } from '@nestjs/config';
import { plainToInstance, Transform, Type } from 'class-transformer';
import {
  IsBoolean,
  IsIn,
  IsInt,
  IsNotEmpty,
  IsOptional,
  IsString,
  IsUrl,
  Matches,
  Max,
  Min,
  validateSync,
  type ValidationError,
} from 'class-validator';
import type { Environment } from './tokens.ts';

/** A class whose property names are the environment variables that it describes, with defaults as initialisers. */
export type ConfigClass<T extends object> = new () => T;

/** A bad environment variable stops the boot; the message names every one of them and never prints a value. */
export class ConfigError extends Error {
  readonly code = 'invalid-configuration';
  constructor(readonly problems: readonly { variable: string; message: string }[]) {
    super(`Invalid configuration: ${problems.map((p) => `${p.variable}: ${p.message}`).join('; ')}`);
  }
}

const problemOf = (error: ValidationError) => ({
  variable: error.property,
  message: Object.values(error.constraints ?? { invalid: 'is not valid' })
    .map((message) => message.replace(`${error.property} `, ''))
    .join(', '),
});

/**
 * Reads and checks the variables of one configuration class. An empty text counts as absent.
 * @throws ConfigError naming each bad variable
 */
export function loadConfig<T extends object>(Class: ConfigClass<T>, environment: Environment): T {
  const defaults = new Class();
  const given: Record<string, string> = {};
  for (const name of Object.keys(defaults)) {
    const value = environment[name];
    if (value !== undefined && value !== '') given[name] = value;
  }
  const config = plainToInstance(Class, { ...defaults, ...given });
  const problems = validateSync(config).map(problemOf);
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

/** Provider of one app's configuration, read once at boot. */
export const configOf = <T extends object>(token: symbol, Class: ConfigClass<T>): Provider => ({
  provide: token,
  inject: [ConfigService],
  useFactory: (config: ConfigService) => {
    const names = Object.keys(new Class());
    return loadConfig(Class, Object.fromEntries(names.map((name) => [name, config.get<string>(name)])));
  },
});

/** Turns `true/1/yes` and `false/0/no` into a boolean; anything else stays and fails IsBoolean. */
export const Flag = () =>
  Transform(({ value }: { value: unknown }) => {
    if (typeof value !== 'string') return value;
    const text = value.toLowerCase();
    return ['true', '1', 'yes'].includes(text) ? true : ['false', '0', 'no'].includes(text) ? false : value;
  });

/** What every process of Tocsin reads. Property names are the variables. */
export class ShellEnvironment {
  /** Address to listen on. */
  @IsString() @IsNotEmpty() HOST = '127.0.0.1';
  /** HTTP port; 0 = any free one. Default: 8080 all-in-one, 8081–8087 for a service alone. */
  @IsOptional() @Type(() => Number) @IsInt() @Min(0) @Max(65_535) PORT: number | undefined = undefined;
  /** Port of /health where services run apart. Default: PORT + 1000; 0 = any free one. */
  @IsOptional() @Type(() => Number) @IsInt() @Min(0) @Max(65_535) ADMIN_PORT: number | undefined = undefined;
  /** PostgreSQL ≥ 15, e.g. `postgres://user:password@host:5432/tocsin`. */
  @IsOptional() @Matches(/^postgres(ql)?:\/\//, { message: 'DATABASE_URL must start with postgres://' }) DATABASE_URL:
    string | undefined = undefined;
  /** Most connections of each of the two pools (pipeline, REST). */
  @Type(() => Number) @IsInt() @Min(2) @Max(200) DATABASE_POOL_MAX = 10;
  /** Kafka brokers, `host:port,host:port`. */
  @IsOptional()
  @Matches(/^[^\s,:]+:\d+(,[^\s,:]+:\d+)*$/, { message: 'KAFKA_BROKERS must be host:port,host:port' })
  KAFKA_BROKERS: string | undefined = undefined;
  /** Put before every topic and consumer group. */
  @IsOptional()
  @Matches(/^[a-zA-Z0-9._-]*$/, { message: 'TOPIC_PREFIX may hold letters, digits, dot, dash and underscore' })
  TOPIC_PREFIX: string | undefined = undefined;
  /** Replicas of each topic that is created; brokers needed for it: at least as many. */
  @Type(() => Number) @IsInt() @Min(1) @Max(10) TOPIC_REPLICATION = 1;
  /** `id:base64,…` of 32-byte keys; the first is the current one. */
  @IsOptional()
  @Matches(/^[\w-]+:[A-Za-z0-9+/_=-]{43,44}(,[\w-]+:[A-Za-z0-9+/_=-]{43,44})*$/, {
    message: 'TOCSIN_KEY_RING must be id:base64,… with keys of 32 bytes',
  })
  TOCSIN_KEY_RING: string | undefined = undefined;
  /** Secret under which API keys and webhook tokens are hashed; at least 16 characters. */
  @IsOptional()
  @Matches(/^.{16,}$/, { message: 'TOCSIN_API_KEY_PEPPER must have at least 16 characters' })
  TOCSIN_API_KEY_PEPPER: string | undefined = undefined;
  /** How people and senders reach this installation; builds webhook URLs and incident links. */
  @IsOptional()
  @IsUrl(
    { require_tld: false, protocols: ['http', 'https'], require_protocol: true },
    { message: 'TOCSIN_PUBLIC_URL must be an http(s) URL' },
  )
  TOCSIN_PUBLIC_URL: string | undefined = undefined;
  /** Folder for what a process keeps on disk (journal, embedded database, configuration snapshot). */
  @IsString() @IsNotEmpty() TOCSIN_DATA_DIR = '.tocsin';
  /** Least severe lines that are logged. */
  @IsIn(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']) LOG_LEVEL = 'info';
  /** Demo and development behaviour: loopback receivers are allowed. Never in production. */
  @Flag() @IsBoolean() TOCSIN_DEVELOPMENT = false;
}

/** What the shell tells services about their process. `publicUrl` is final once the HTTP server listens. */
export interface ShellConfig {
  publicUrl: string;
  databaseUrl: string;
  dataDirectory: string;
  development: boolean;
}
