// An insert that the lab's database refuses is seen with its reason, mended, and made; mail that was given up is tried again.

import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { violations } from './axe';
import { launch, Person, tabTo } from './browser';
import { SmallLab, until } from './small_lab';

const DB = `<root>
<db_config><url>sqlite:results.db</url></db_config>
<insert_section><sql_statement>INSERT INTO results (run, name) VALUES ($jackfield_run, '$twister_tc_name')</sql_statement></insert_section>
</root>
`;

let lab: SmallLab;
let browser: Browser;
/** A mail server that wants nothing, for good. */
let mail: Server;

function sqlite(script: string): string {
    const python = `import sqlite3, sys\ndb = sqlite3.connect(sys.argv[1])\nprint(*db.execute(sys.argv[2]))\ndb.commit()`;
    return execFileSync('python3', ['-c', python, join(lab.folder, 'results.db'), script]).toString();
}

beforeAll(async () => {
    mail = createServer((socket) => {
        socket.on('error', () => undefined);
        socket.end('554 no mail today\r\n');
    });
    await new Promise<void>((done) => mail.listen(0, '127.0.0.1', done));
    lab = await SmallLab.start();
    await writeFile(join(lab.folder, 'db.xml'), DB);
    await lab.test('good.sh', '#!/bin/sh\necho good\n');
    await lab.project('saved', { Suite: ['good.sh'] }, '<dbautosave>save</dbautosave>');
    await lab.project('plain', { Suite: ['good.sh'] });
    browser = await launch();
});

afterAll(async () => {
    await browser?.close();
    await lab?.stop();
    mail?.close();
});

test('a failed insert is seen, mended and made, by keys alone', async () => {
    const run = await lab.run('saved');
    await lab.reached(run, 'completed');
    await until('the refusal', async () => {
        const jobs = await lab.get<{ error: string }[]>(`/runs/${run}/jobs`);
        return jobs.some(({ error }) => error.includes('no such table'));
    });
    const { page, watch } = await Person.open(browser, lab);
    await page.goto('/reports');
    await page.getByText('no such table: results').waitFor();
    expect(await violations(page)).toEqual([]);
    sqlite('CREATE TABLE results (run INTEGER, name TEXT)');
    await tabTo(page, page.getByRole('button', { name: `Insert now: run ${run}` }));
    await page.keyboard.press('Enter');
    await page.getByText('no such table: results').waitFor({ state: 'detached' });
    expect(sqlite('SELECT run, name FROM results')).toContain(`(${run}, 'good.sh')`);
    expect(watch.faults).toEqual([]);
});

test('work of others is tried again by who may', async () => {
    const address = mail.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const email = `<root><Enabled>true</Enabled><SMTPPath>127.0.0.1:${address.port}</SMTPPath><From>lab@example.org</From><To>ana@example.org</To><Subject>x</Subject><Message>y</Message></root>`;
    await writeFile(join(lab.folder, 'email.xml'), email);
    const run = await lab.run('plain');
    await lab.reached(run, 'completed');
    const tries = async (): Promise<number> => {
        const jobs = await lab.get<{ work: string; tries: number }[]>(`/runs/${run}/jobs`);
        return jobs.find(({ work }) => work === 'mail')?.tries ?? 0;
    };
    await until('the first try', async () => (await tries()) > 0);
    const { page, watch } = await Person.open(browser, lab);
    await page.goto('/reports');
    const before = await tries();
    await page.getByRole('button', { name: `Try now: Mail of run ${run}` }).click();
    await until('the next try', async () => (await tries()) > before);
    await page.goto('/engine/settings');
    await page.getByRole('button', { name: 'Send a test mail' }).click();
    await page.getByText('no mail today').waitFor();
    await page.getByLabel('Run whose mail is shown').fill(String(run));
    await page.getByRole('button', { name: 'Show the mail of this run' }).click();
    const preview = await page
        .getByRole('link', { name: 'Its mail as it would be sent' })
        .getAttribute('href');
    const shown = await page.request.get(preview ?? '');
    expect([shown.status(), await shown.text()]).toEqual([200, expect.stringContaining(`run ${run}`)]);
    expect(watch.faults).toEqual([]);
});
