// SPDX-License-Identifier: Apache-2.0
// autobahn for JavaScript logs in and does what test_logins.py says; the lines are those of login_python.py.
// usage: node login_js.js MODULES URL REALM METHOD AUTHID SECRET
'use strict';
const readline = require('readline');
const [modules, url, realm, method, authid, secret] = process.argv.slice(2);
const autobahn = require(modules + '/node_modules/autobahn');
const nacl = require(modules + '/node_modules/tweetnacl');

const say = (answer) => process.stdout.write(JSON.stringify(answer) + '\n');
const pair = method === 'cryptosign' ? nacl.sign.keyPair.fromSeed(Buffer.from(secret, 'hex')) : null;
const events = [];
let subscription = null;

function onchallenge(session, name, extra) {
    if (name === 'wampcra')
        return autobahn.auth_cra.sign(
            autobahn.auth_cra.derive_key(secret, extra.salt, extra.iterations, extra.keylen), extra.challenge);
    if (name === 'cryptosign')
        return autobahn.auth_cryptosign.sign_challenge(pair, extra);
    return secret;
}

const options = {realm, max_retries: 0, authmethods: [method], onchallenge,
    authextra: pair ? {pubkey: autobahn.auth_cryptosign.public_key(pair), channel_binding: null} : {}};
if (authid)
    options.authid = authid;
if (url.startsWith('ws'))
    options.url = url;
else
    options.transports = [{type: 'rawsocket', host: '127.0.0.1', port: Number(url.split(':')[2]),
        protocols: ['wamp.2.json']}];

async function obey(session, line) {
    try {
        if (line[0] === 'call')
            return {result: await session.call(line[1])};
        if (line[0] === 'subscribe') {
            subscription = await session.subscribe(line[1], (args) => events.push(args));
            return {ok: true};
        }
        if (line[0] === 'active')
            return {active: subscription.active};
        return {events: events.length};
    } catch (error) {
        return {error: error.error || String(error)};
    }
}

const connection = new autobahn.Connection(options);
connection.onopen = async (session, details) => {
    say({joined: details.authid, method: details.authmethod});
    for await (const text of readline.createInterface({input: process.stdin})) {
        const line = JSON.parse(text);
        if (line[0] === 'quit')
            process.exit(0);
        say(await obey(session, line));
    }
};
connection.onclose = (reason, details) => {
    say({refused: details.reason});
    process.exit(0);
};
connection.open();
