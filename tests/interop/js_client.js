// SPDX-License-Identifier: Apache-2.0
// autobahn for JavaScript as callee and caller, subscriber and publisher.
// usage: node js_client.js MODULES URL TRANSPORT SERIALIZER; prints "ok" when all came back right.
'use strict';
const assert = require('assert');
const [modules, url, transport, serializer] = process.argv.slice(2);
const autobahn = require(modules + '/node_modules/autobahn');

const serializers = {
    json: () => new autobahn.serializer.JSONSerializer(),
    msgpack: () => new autobahn.serializer.MsgpackSerializer(),
    cbor: () => new autobahn.serializer.CBORSerializer(),
};
const values = [null, true, false, 0, -1, 127, 128, 65536, 2147483648, 9007199254740992, 1.5, '',
    'grüße 漢字 \u{1F600} " \\ \n', 'x'.repeat(70000), [], {}, [1, [2, [3, {a: [null]}]]]];
const tag = `com.example.js.${transport}.${serializer}`;

function connect() {
    const options = {realm: 'dev', max_retries: 0};
    // Its RawSocket transport speaks JSON only.
    if (transport === 'ws')
        Object.assign(options, {url: url, serializers: [serializers[serializer]()]});
    else
        options.transports = [{type: 'rawsocket', host: '127.0.0.1', port: Number(url.split(':')[2]),
            protocols: ['wamp.2.json']}];
    const connection = new autobahn.Connection(options);
    return new Promise((resolve, reject) => {
        connection.onopen = (session) => resolve({connection, session});
        connection.onclose = (reason, details) => {
            reject(new Error(reason + JSON.stringify(details)));
            return true;
        };
        connection.open();
    });
}

async function rpc(caller, callee) {
    await callee.register(tag + '.echo', (args, kwargs) => new autobahn.Result(args, kwargs));
    await callee.register(tag + '.broken', () => {
        throw new autobahn.Error('com.example.error.broken', ['why'], {detail: 7});
    });
    const got = await caller.call(tag + '.echo', values, {name: 'value'});
    assert.deepStrictEqual(got.args, values);
    assert.deepStrictEqual(got.kwargs, {name: 'value'});
    const many = await Promise.all([...Array(500).keys()].map((n) => caller.call(tag + '.echo', [n])));
    assert.deepStrictEqual(many, [...Array(500).keys()]);
    await assert.rejects(async () => caller.call(tag + '.broken'), (e) => e.error === 'com.example.error.broken');
    await assert.rejects(async () => caller.call(tag + '.none'), (e) => e.error === 'wamp.error.no_such_procedure');
}

async function pubsub(publisher, subscriber) {
    const seen = [];
    await new Promise((resolve) => {
        subscriber.subscribe(tag + '.topic', (args) => {
            seen.push(args[0]);
            if (seen.length === 200)
                resolve();
        }).then(() => {
            // Large values once: what a subscriber does not read in time is dropped above the queue's limit.
            for (let n = 0; n < 200; n++)
                publisher.publish(tag + '.topic', n === 0 ? [n, values] : [n]);
        });
    });
    assert.deepStrictEqual(seen, [...Array(200).keys()]);
    const publication = await publisher.publish(tag + '.nobody', [], {}, {acknowledge: true});
    assert.ok(publication.id > 0);
}

(async () => {
    const a = await connect();
    const b = await connect();
    await rpc(a.session, b.session);
    await pubsub(a.session, b.session);
    console.log('ok');
    process.exit(0);
})().catch((error) => {
    console.error(error);
    process.exit(1);
});
