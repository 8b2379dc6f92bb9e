// The kinds of log that a test has, in the order in which they are offered.

import type { Stream } from './lines.svelte';

export const STREAMS: readonly { stream: Stream; what: string }[] = [
    { stream: 'cli', what: 'what the test printed' },
    { stream: 'running', what: 'logRunning' },
    { stream: 'test', what: 'logTest' },
    { stream: 'debug', what: 'logDebug' },
    { stream: 'custom', what: 'logs of the lab’s own' },
    { stream: 'stdout', what: 'standard output alone' },
    { stream: 'stderr', what: 'standard error alone' },
    { stream: 'ep', what: 'what the EP has to say' },
];
