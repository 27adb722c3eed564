export { run, USAGE } from './run.ts';
export { type Terminal, processTerminal } from './terminal.ts';
