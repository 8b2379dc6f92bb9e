// A newcomer, from an empty folder to a device that answers, in steps that are counted; what the engine goes by, tried; and the book.

import { spawn, type ChildProcess } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { launch, Person } from './browser';
import { BINARY, SmallLab } from './small_lab';

let lab: SmallLab;
let browser: Browser;
const children: ChildProcess[] = [];

beforeAll(async () => {
    lab = await SmallLab.start({ eps: [] });
    browser = await launch();
});

afterAll(async () => {
    await browser?.close();
    for (const child of children) child.kill('SIGTERM');
    await lab?.stop();
});

/** A device of the simulator, and the port that it answers on. */
async function device(): Promise<number> {
    const child = spawn(BINARY, ['simulate', 'router'], { cwd: lab.folder });
    children.push(child);
    return new Promise((found, failed) => {
        let said = '';
        const hear = (bytes: Buffer): void => {
            said += bytes.toString();
            const port = /telnet\D*127\.0\.0\.1[: ](\d+)|telnet\D*(\d{4,5})/.exec(said);
            if (port) found(Number(port[1] ?? port[2]));
        };
        child.stdout.on('data', hear);
        child.stderr.on('data', hear);
        child.once('exit', () => failed(new Error(`the simulator ended:\n${said}`)));
    });
}

test('a newcomer comes from an empty folder to a device that answers, in counted steps', async () => {
    const port = await device();
    const { page, watch } = await Person.open(browser, lab);
    let steps = 0;
    const step = async (act: Promise<unknown>): Promise<void> => {
        steps += 1;
        await act;
    };
    await step(page.getByRole('link', { name: 'First steps' }).click());
    // Something that runs tests: what the page says is typed as it stands.
    await step(page.getByRole('button', { name: 'Make its token' }).click());
    const commands = await page.getByRole('main').locator('pre').innerText();
    const [file, command] = /<<'END'\n([\s\S]*)\nEND\n(.*)/.exec(commands)?.slice(1) ?? [];
    await step(writeFile(join(lab.folder, 'ep.toml'), `${file}\nwork = "${join(lab.folder, 'work')}"\n`));
    expect(command).toBe('jackfield ep --config ep.toml');
    children.push(spawn(BINARY, ['ep', '--config', 'ep.toml'], { cwd: lab.folder, stdio: 'ignore' }));
    await page.getByText('bench-1 is connected').waitFor();
    // Its own device.
    await step(page.getByLabel('Protocol').selectOption('telnet'));
    for (const [label, value] of [
        ['Host', '127.0.0.1'],
        ['Port', String(port)],
        ['User', 'lab'],
        ['Its password', 'lab'],
        ['Kind', 'ios'],
    ] as const)
        await step(page.getByLabel(label, { exact: true }).fill(value));
    await step(page.getByRole('button', { name: 'Add it' }).click());
    await page.getByText('/lab/router is in the lab').waitFor();
    await step(page.getByRole('button', { name: 'Write the test' }).click());
    await page.getByText('tests/first-device.steps.toml asks it').waitFor();
    await step(page.getByRole('button', { name: 'Make the project, and try it' }).click());
    await page.getByRole('heading', { name: 'Your device answers.' }).waitFor();
    // Ten minutes are sixty of these, at ten seconds each.
    expect(steps).toBeLessThanOrEqual(20);
    const { items } = await lab.get<{ items: { temporary: boolean }[] }>('/runs?project=first-device');
    expect(items.map(({ temporary }) => temporary)).toEqual([true]);
    // The answer of the device is in the log beside it.
    await page
        .getByRole('region', { name: 'Try' })
        .getByText(/simulated router/)
        .first()
        .waitFor();
    await page.getByRole('link', { name: 'the first hour in the book' }).click();
    await page.getByRole('heading', { name: 'First hour', level: 1 }).waitFor();
    expect(watch.faults).toEqual([]);
});

test('the book is looked through, and its links stay in it', async () => {
    const { page, watch } = await Person.open(browser, lab);
    await page.keyboard.press('g');
    await page.keyboard.press('h');
    await page.getByRole('searchbox', { name: 'Find in the book' }).fill('idle minutes');
    await page.getByRole('article').getByText('--idle MINUTES').first().waitFor();
    await page
        .getByRole('article')
        .getByRole('link', { name: /^Operating: Users and tokens/ })
        .click();
    await page.getByRole('heading', { name: 'Users and tokens' }).waitFor();
    await page.getByRole('link', { name: 'global parameters' }).first().click();
    const heading = page.getByRole('heading', { name: 'globals.xml', exact: true });
    await heading.waitFor();
    await expect.poll(() => heading.evaluate((each) => each.getBoundingClientRect().top)).toBeLessThan(400);
    await page.getByRole('searchbox', { name: 'Find in the book' }).fill('qwertzuiop');
    await page.getByRole('heading', { name: /The book has nothing with/ }).waitFor();
    expect(watch.faults).toEqual([]);
});

test('what the engine goes by is tried, and each try tells the true answer', async () => {
    const heard: string[] = [];
    const server = createServer((request, response) => {
        let body = '';
        request.on('data', (piece: Buffer) => (body += piece.toString()));
        request.on('end', () => {
            heard.push(body);
            response.statusCode = heard.length === 1 ? 200 : 403;
            response.end();
        });
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as AddressInfo;
    await writeFile(
        join(lab.folder, 'webhooks.toml'),
        `[[webhook]]\nname = "chat"\nurl = "http://127.0.0.1:${port}/x"\n`,
    );
    await writeFile(
        join(lab.folder, 'db.xml'),
        '<root><db_config><url>sqlite:results.db</url></db_config><insert_section><sql_statement>INSERT INTO nothing VALUES (1)</sql_statement></insert_section></root>',
    );
    await writeFile(
        join(lab.folder, 'PanicDetectData.json'),
        '{"admin": {"1": {"expression": "show ver", "enabled": "true"}, "2": {"expression": "kernel panic", "enabled": "true"}}}',
    );
    await writeFile(join(lab.folder, 'mail.toml'), 'nonsense = 1\n');
    const { page, watch } = await Person.open(browser, lab);
    await page.goto('/engine/settings');
    const of = (name: string) => page.getByRole('region', { name, exact: true });
    await of('Mail rules').getByText('mail.toml:1').waitFor();
    await of('Mail').getByText('not there: no mail is sent').waitFor();
    await of('Engine').getByText('Old runs stay for ever').waitFor();
    await of('Webhooks').getByRole('button', { name: 'Try chat' }).click();
    await of('Webhooks').getByText('It answered, and has taken the test.').waitFor();
    await of('Webhooks').getByRole('button', { name: 'Try chat' }).click();
    await of('Webhooks').getByText(/403/).waitFor();
    await of('Database').getByRole('button', { name: 'Try it with the database' }).click();
    await of('Database')
        .getByText(/error|warning/)
        .first()
        .waitFor();
    // The log of the newcomer's try has the one, and not the other.
    const { items } = await lab.get<{ items: { id: number }[] }>('/runs');
    await of('Panic patterns').getByLabel('Try whose logs are searched').fill(`${items[0]?.id}.0`);
    await of('Panic patterns').getByRole('button', { name: 'Try them on its logs' }).click();
    await of('Panic patterns')
        .getByRole('row', { name: /kernel panic.*not in its logs/ })
        .waitFor();
    await of('Panic patterns')
        .getByRole('row', { name: /show ver.*would have ended the test/ })
        .waitFor();
    await of('Global parameters').getByRole('link', { name: 'Edit' }).click();
    await page.locator('.file', { hasText: 'globals.xml' }).waitFor();
    await lab.user('viewer', 'looks at the engine', [], ['VIEW_REPORTS']);
    const viewer = await Person.open(browser, lab, 'viewer', 'looks at the engine');
    await viewer.page.goto('/engine/settings');
    await viewer.page
        .getByText(/CHANGE_SERVICES/)
        .first()
        .waitFor();
    server.close();
    expect([...watch.faults, ...viewer.watch.faults]).toEqual([]);
});
