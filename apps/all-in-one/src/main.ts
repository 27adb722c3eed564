import { closeOnSignals, ConfigError, createLogger } from '@tocsin/nest-shell';
import { banner } from './banner.ts';
import { environment } from './config.ts';
import { startAllInOne } from './start.ts';

try {
  const running = await startAllInOne(environment());
  process.stdout.write(banner(running.url, running.demo, running));
  closeOnSignals(running);
} catch (error) {
  const log = createLogger('all-in-one', 'error');
  if (error instanceof ConfigError) log.fatal({ problems: error.problems }, error.message);
  else log.fatal({ err: error }, 'all-in-one.boot-failed');
  process.exit(error instanceof ConfigError ? 78 : 1);
}
