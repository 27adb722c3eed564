import { runService } from '@tocsin/nest-shell';
import { controlPlane } from './index.ts';

await runService(controlPlane);
