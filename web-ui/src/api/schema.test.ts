import { expect, test } from 'vitest';

import { present, schema } from '../../scripts/schema.js';

test('the types are those of the engine’s own description', async () => {
    expect(await present(), 'run `npm run schema`').toBe(await schema());
});
