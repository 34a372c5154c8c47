// SPDX-License-Identifier: Apache-2.0
// wampy logs in and does what test_logins.py says; the lines are those of login_python.py.
// usage: node login_wampy.js MODULES URL REALM METHOD AUTHID SECRET
'use strict';
const readline = require('readline');
const path = require('path');
const {pathToFileURL} = require('url');
const [modules, url, realm, method, authid, secret] = process.argv.slice(2);

const say = (answer) => process.stdout.write(JSON.stringify(answer) + '\n');
const load = (file) => import(pathToFileURL(path.join(modules, 'node_modules', file)).href);
const events = [];

async function obey(client, line) {
    try {
        if (line[0] === 'call')
            return {result: (await client.call(line[1])).argsList[0]};
        if (line[0] === 'subscribe') {
            await client.subscribe(line[1], (event) => events.push(event));
            return {ok: true};
        }
        return {events: events.length};
    } catch (error) {
        return {error: error.errorUri || String(error)};
    }
}

(async () => {
    const {Wampy} = await load('wampy/dist/esm/wampy.js');
    const cra = await load('wampy/dist/esm/auth/wampcra/wampy-cra.js');
    const cryptosign = await load('wampy/dist/esm/auth/cryptosign/wampy-cryptosign.js');
    const nacl = require(modules + '/node_modules/tweetnacl');
    const plugins = {
        ticket: () => secret,
        wampcra: cra.sign(secret),
        cryptosign: method === 'cryptosign' ? cryptosign.sign(secret) : null,
    };
    const options = {realm, ws: require(modules + '/node_modules/ws'), autoReconnect: false, maxRetries: 0};
    // It refuses methods without an authid: for anonymous both are left out.
    if (authid)
        Object.assign(options, {authid, authmethods: [method], authMode: 'auto',
            authPlugins: {[method]: plugins[method]}});
    if (method === 'cryptosign') {
        const pair = nacl.sign.keyPair.fromSeed(Buffer.from(secret, 'hex'));
        options.authextra = {pubkey: Buffer.from(pair.publicKey).toString('hex')};
    }
    const client = new Wampy(url, options);
    let details;
    try {
        details = await client.connect();
    } catch (error) {
        say({refused: error.errorUri || String(error)});
        process.exit(0);
    }
    say({joined: details.authid, method: details.authmethod});
    for await (const text of readline.createInterface({input: process.stdin})) {
        const line = JSON.parse(text);
        if (line[0] === 'quit')
            process.exit(0);
        say(await obey(client, line));
    }
})().catch((error) => {
    console.error(error);
    process.exit(1);
});
