import { runService } from '@tocsin/nest-shell';
import { normalizer } from './index.ts';

await runService(normalizer);
