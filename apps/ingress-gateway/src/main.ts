import { runService } from '@tocsin/nest-shell';
import { ingressGateway } from './index.ts';

await runService(ingressGateway);
