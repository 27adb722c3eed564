import { runService } from '@tocsin/nest-shell';
import { outboundDispatcher } from './index.ts';

await runService(outboundDispatcher);
