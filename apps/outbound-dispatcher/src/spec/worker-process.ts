import { aSubscription, startDispatcher } from './harness.ts';

// A worker of its own process, so that a test can kill it: node worker-process.ts <database url> <receiver url>
const [databaseUrl = '', receiverUrl = ''] = process.argv.slice(2);
startDispatcher(databaseUrl, [aSubscription({ url: receiverUrl, timeoutSeconds: 60 })]);
