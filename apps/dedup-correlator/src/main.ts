import { runService } from '@tocsin/nest-shell';
import { dedupCorrelator } from './index.ts';

await runService(dedupCorrelator);
