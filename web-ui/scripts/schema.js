// The types of the HTTP interface, made from the document that the engine promises: `src/api/schema.ts`.
//
// The document is the snapshot that the engine's own test holds. The types are in no commit; whatever builds, checks or
// tests the pages makes them first, and `src/api/schema.test.ts` fails when they are not what the document says.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import openapiTypeScript, { astToString } from 'openapi-typescript';

const SNAPSHOT =
    '../central-engine/src/http/snapshots/jackfield_central_engine__http__openapi__tests__the_document_is_a_promise.snap';

const folder = fileURLToPath(new URL('..', import.meta.url));

/** The place of the types. */
export const place = join(folder, 'src/api/schema.ts');

/** What the types have to be. */
export async function schema() {
    const snapshot = await readFile(join(folder, SNAPSHOT), 'utf8');
    const document = JSON.parse(snapshot.slice(snapshot.indexOf('\n---\n') + 5));
    const text = astToString(await openapiTypeScript(document, { alphabetize: true }));
    return `// Made by scripts/schema.js from the engine's OpenAPI document.\n\n${text}`;
}

/** What they are; nothing where they were never made. */
export async function present() {
    return readFile(place, 'utf8').catch(() => '');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
    const wanted = await schema();
    if ((await present()) !== wanted) {
        await writeFile(place, wanted);
    }
}
