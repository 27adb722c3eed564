import type { LoggerService } from '@nestjs/common';
import type { Logger } from '../tokens.ts';

/** Nest prints a failed boot by itself; whoever started the boot prints it too, with its code. Once is enough. */
const TOLD_BY_THE_BOOT = 'ExceptionHandler';

/** Lets Nest's own lines be lines of our log: JSON, same fields, warnings and worse only. */
export const nestLogger = (log: Logger): LoggerService => ({
  log: () => undefined,
  debug: () => undefined,
  verbose: () => undefined,
  warn: (message: unknown, context?: string) => log.warn({ context, message }, 'nest.warning'),
  error: (message: unknown, ...rest: string[]) => {
    const context = rest.at(-1);
    if (context !== TOLD_BY_THE_BOOT)
      log.error({ context, message, stack: rest.length > 1 ? rest[0] : undefined }, 'nest.error');
  },
  fatal: (message: unknown, ...rest: string[]) => log.fatal({ context: rest.at(-1), message }, 'nest.fatal'),
});
