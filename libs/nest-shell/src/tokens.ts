import type { Logger as PinoLogger } from 'pino';

/** Injection tokens that the shell provides to every service module. */
export const EVENT_LOG = Symbol('EVENT_LOG');
export const PIPELINE_POOL = Symbol('PIPELINE_POOL');
export const REST_POOL = Symbol('REST_POOL');
export const CONFIGURATION_FEED = Symbol('CONFIGURATION_FEED');
export const KEY_RING = Symbol('KEY_RING');
export const CLOCK = Symbol('CLOCK');
export const RANDOM = Symbol('RANDOM');
export const LOGGER = Symbol('LOGGER');
export const ASSIGNMENTS = Symbol('ASSIGNMENTS');
export const SHELL_CONFIG = Symbol('SHELL_CONFIG');
export const ENVIRONMENT = Symbol('ENVIRONMENT');
export const HEALTH = Symbol('HEALTH');

export type Clock = () => Date;
/** Cryptographically strong random bytes. */
export type Random = (bytes: number) => Buffer;
export type Logger = PinoLogger;
export type Environment = Readonly<Record<string, string | undefined>>;
