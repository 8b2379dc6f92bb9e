// Many readers of one run's stream, each as another browser would read it, in a process of their own: on their own machines they would take
// no time of the engine's. Says how many events each was told when the run is over.

import { get } from 'node:http';

const [url = '', cookie = '', run = '', readers = ''] = process.argv.slice(2);
const TOLD = Buffer.from(`\nevent: run/${run}/run\n`);
const OVER = Buffer.from(`\nevent: run/${run}/over\n`);

function count(bytes, wanted) {
    let found = 0;
    for (let at = bytes.indexOf(wanted); at >= 0; at = bytes.indexOf(wanted, at + wanted.length - 1))
        found += 1;
    return found;
}

function read() {
    return new Promise((done, failed) => {
        const address = `${url}/api/v1/follow?lab=&runs=${run}:0`;
        const request = get(address, { headers: { Cookie: cookie }, agent: false }, (answer) => {
            let told = 0;
            // What may be the beginning of a name that goes on in the next piece.
            let rest = Buffer.alloc(0);
            answer.on('data', (piece) => {
                const bytes = Buffer.concat([rest, piece]);
                told += count(bytes, TOLD);
                if (bytes.includes(OVER)) {
                    request.destroy();
                    done(told);
                }
                const last = Math.max(bytes.lastIndexOf(TOLD), bytes.lastIndexOf(OVER));
                const from = Math.max(bytes.length - TOLD.length, last < 0 ? 0 : last + 1);
                rest = Buffer.from(bytes.subarray(from));
            });
            answer.on('close', () => failed(new Error('a stream ended before its run')));
        });
        request.on('error', failed);
    });
}

const told = await Promise.all(Array.from({ length: Number(readers) }, read));
process.send?.(told);
process.disconnect?.();
