// Places of the book to which other pages lead. A test looks whether they are there.

import { href } from '../routes';

/** A page, and a heading in it. */
export type BookPlace = { readonly name: string; readonly id: string };

const at = (name: string, id: string): BookPlace => ({ name, id });

export const PLACES = {
    engine: at('lab-files', 'enginetoml'),
    database: at('reports', 'your-database'),
    mail: at('reports', 'mail'),
    webhooks: at('reports', 'webhooks'),
    panic: at('lab-files', 'panicdetectdatajson'),
    globals: at('lab-files', 'globalsxml'),
    bindings: at('lab-files', 'bindingsxml'),
    profiles: at('profiles', 'profiles'),
    templates: at('lab-files', 'templates'),
    project: at('lab-files', 'the-project-children-of-root'),
    suite: at('lab-files', 'testsuite'),
    test: at('lab-files', 'testcase'),
} as const;

export const inBook = ({ name, id }: BookPlace): string => `${href({ page: 'book', name })}#${id}`;
