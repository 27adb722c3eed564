import { runService } from '@tocsin/nest-shell';
import { rcaTrigger } from './index.ts';

await runService(rcaTrigger);
