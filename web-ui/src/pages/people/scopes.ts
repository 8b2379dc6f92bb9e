// What a token may be for, in words.

import type { Schemas } from '../../api/client';

export type Scope = Schemas['Scope'];

export const SCOPES: readonly { scope: Scope; allows: string; help: string }[] = [
    { scope: 'read', allows: 'look', help: 'see what its owner may see' },
    { scope: 'run', allows: 'look and run', help: 'see, and start and control runs' },
    { scope: 'admin', allows: 'everything of its owner', help: 'all that its owner may do' },
    { scope: 'ep', allows: 'connect an EP', help: 'be an EP, and nothing else' },
];
