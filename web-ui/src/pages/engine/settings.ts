// What the files of the lab's settings are about.

import type { Schemas } from '../../api/client';
import { PLACES, type BookPlace } from '../../book/places';
import type { Route } from '../../routes';
import type { Role } from '../../state/session.svelte';

type About = {
    readonly name: string;
    readonly help: string;
    /** What holds where there is none. */
    readonly without: string;
    /** Where the book says more. */
    readonly book: BookPlace;
    /** The page that edits it. */
    readonly page?: Route;
    /** What one should know of it when it is saved. */
    readonly starts?: string;
    /** The role that opens its text. */
    readonly role?: Role;
};

const text = (file: string, role: Role): Pick<About, 'page' | 'role'> => ({
    page: { page: 'setting', file },
    role,
});

export const ABOUT: Readonly<Record<Schemas['SettingKind'], About>> = {
    engine: {
        name: 'Engine',
        help: 'addresses, limits, TLS, the data folder, how long old runs stay; read when the engine starts',
        without: 'what is usual holds',
        book: PLACES.engine,
        starts: 'What is saved counts when the engine starts again',
        ...text('engine', 'CHANGE_FWM_CFG'),
    },
    database: {
        name: 'Database',
        help: 'where results go, what is inserted, and the reports that are made of it',
        without: 'results go into no database',
        book: PLACES.database,
        ...text('database', 'CHANGE_DB_CFG'),
    },
    mail: {
        name: 'Mail',
        help: 'the mail server, and who hears of runs',
        without: 'no mail is sent',
        book: PLACES.mail,
        ...text('mail', 'CHANGE_EML_CFG'),
    },
    mail_rules: {
        name: 'Mail rules',
        help: 'who hears of which runs',
        without: 'whoever the mail settings name hears of all',
        book: PLACES.mail,
        ...text('mail_rules', 'CHANGE_EML_CFG'),
    },
    webhooks: {
        name: 'Webhooks',
        help: 'programs and chats that are told of runs',
        without: 'none is told',
        book: PLACES.webhooks,
        ...text('webhooks', 'CHANGE_EML_CFG'),
    },
    panic_patterns: {
        name: 'Panic patterns',
        help: 'expressions that end a test when its output has them',
        without: 'no output is watched',
        book: PLACES.panic,
        ...text('panic_patterns', 'CHANGE_FWM_CFG'),
    },
    globals: {
        name: 'Global parameters',
        help: 'values that all tests read',
        without: 'tests have none',
        book: PLACES.globals,
        page: { page: 'globals' },
    },
    bindings: {
        name: 'Bindings',
        help: 'which component of a SUT stands for which of a test configuration',
        without: 'nothing is bound',
        book: PLACES.bindings,
        page: { page: 'bindings' },
    },
    profiles: {
        name: 'Device profiles',
        help: 'how kinds of devices are spoken to, beside those that are shipped',
        without: 'those that are shipped hold',
        book: PLACES.profiles,
        role: 'CHANGE_FWM_CFG',
    },
    templates: {
        name: 'Templates',
        help: 'how answers of devices become tables (TextFSM)',
        without: 'the lab has none of its own',
        book: PLACES.templates,
        role: 'CHANGE_FWM_CFG',
    },
};

/** What a file of settings is about, by its name in an address. */
export function aboutFile(file: string): About | undefined {
    const kind = file.includes('/') ? file.slice(0, file.indexOf('/')) : file;
    return kind in ABOUT ? ABOUT[kind as Schemas['SettingKind']] : undefined;
}
