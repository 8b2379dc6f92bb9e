// What a test leaves is seen in its place: pictures and videos, a packet capture in a few words, texts, steps with what they
// measured and how it was to be.

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { launch, Person } from './browser';
import { SmallLab } from './small_lab';

let lab: SmallLab;
let browser: Browser;
let run: number;

const KEEPS = `import jackfield, struct, zlib
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
header = chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 32, 8, 0, 0, 0, 0))
rows = chunk(b"IDAT", zlib.compress(b"".join(b"\\0" + bytes(range(64)) for _ in range(32))))
open("panel.png", "wb").write(b"\\x89PNG\\r\\n\\x1a\\n" + header + rows + chunk(b"IEND", b""))
open("boot.webm", "wb").write(b"no film at all")
ether = bytes(12)
ping = ether + b"\\x08\\x00" + b"\\x45" + bytes(8) + b"\\x01" + bytes(20)
arp = ether + b"\\x08\\x06" + bytes(28)
with open("wan.pcap", "wb") as out:
    out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
    for at, frame in enumerate([ping, ping, arp]):
        out.write(struct.pack("<IIII", 1700000000 + at, 0, len(frame), len(frame)) + frame)
open("config <b>.txt", "w").write("hostname r1\\n<script>alert(1)</script>\\n")
for name in ["panel.png", "boot.webm", "wan.pcap", "config <b>.txt"]:
    jackfield.artifact(name)
jackfield.part("ramp up", "PASS", "", 1.2)
jackfield.check("jitter", 2.4, unit="ms", at_most=5)
jackfield.check("loss", 0.31, unit="%", at_most=0.1, go_on=True)
`;

beforeAll(async () => {
    lab = await SmallLab.start();
    await lab.test('keeps.py', KEEPS);
    await lab.project('keeps', { Suite: ['keeps.py'] });
    run = await lab.run('keeps');
    await lab.reached(run, 'completed');
    browser = await launch();
});

afterAll(async () => {
    await browser?.close();
    await lab?.stop();
});

test('files are seen in place', async () => {
    const { page, watch } = await Person.open(browser, lab);
    await page.goto(`/runs/${run}/tests/0?pane=files`);
    const picture = page.getByRole('img', { name: 'panel.png' });
    await picture.waitFor();
    await expect
        .poll(() => picture.evaluate((image: HTMLImageElement) => image.naturalWidth), { timeout: 10_000 })
        .toBe(64);
    await page.locator('video[aria-label="boot.webm"]').waitFor();
    await page.getByText('3 packets, 130 B in 2.0 s: 2 ICMP, 1 ARP').waitFor();
    await page.getByRole('button', { name: 'Read here' }).click();
    await page.getByText('<script>alert(1)</script>').waitFor();
    const downloading = page.waitForEvent('download');
    await page.getByRole('listitem').filter({ hasText: 'wan.pcap' }).getByText('Download').click();
    expect((await downloading).suggestedFilename()).toBe('wan.pcap');
    expect(watch.faults).toEqual([]);
});

test('steps say what was measured and how it was to be, each once', async () => {
    const { page, watch } = await Person.open(browser, lab);
    await page.goto(`/runs/${run}/tests/0?pane=steps`);
    const rows = page.getByRole('table').getByRole('row');
    await rows.first().waitFor();
    const texts = (await rows.allInnerTexts()).map((text) => text.replaceAll(/\s+/g, ' ').trim());
    expect(texts.slice(1)).toEqual([
        'passed ramp up 1.2 s',
        'passed jitter 2.4 ms ≤ 5',
        'failed loss 0.31 % ≤ 0.1',
    ]);
    expect(watch.faults).toEqual([]);
});
