import { runService } from '@tocsin/nest-shell';
import { incidentStore } from './index.ts';

await runService(incidentStore);
