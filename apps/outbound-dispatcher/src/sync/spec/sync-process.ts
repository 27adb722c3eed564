import { aLink, startSync } from './sync-harness.ts';

// A process of its own, so that a test can kill it: node sync-process.ts <database url> <Jira url>
const [databaseUrl = '', jiraUrl = ''] = process.argv.slice(2);
startSync(databaseUrl, aLink('jira', jiraUrl));
