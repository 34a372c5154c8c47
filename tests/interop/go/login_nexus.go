// SPDX-License-Identifier: Apache-2.0

// nexus (Go) logs in and does what test_logins.py says; the lines are those of login_python.py.
//
// usage: login_nexus URL REALM METHOD AUTHID SECRET
package main

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log"
	"net/url"
	"os"
	"strings"
	"sync/atomic"

	"github.com/gammazero/nexus/v3/client"
	"github.com/gammazero/nexus/v3/transport"
	"github.com/gammazero/nexus/v3/transport/serialize"
	"github.com/gammazero/nexus/v3/wamp"
	"github.com/gammazero/nexus/v3/wamp/crsign"
)

// watched is a connection that remembers which URI the router refused with. nexus itself drops it where an
// ABORT answers AUTHENTICATE, and makes it a part of a sentence where an ERROR answers SUBSCRIBE.
type watched struct {
	wamp.Peer
	messages chan wamp.Message
	reason   wamp.URI // written before the message is handed on, read after it came
}

func watch(peer wamp.Peer) *watched {
	w := &watched{Peer: peer, messages: make(chan wamp.Message)}
	go func() {
		for message := range peer.Recv() {
			switch m := message.(type) {
			case *wamp.Abort:
				w.reason = m.Reason
			case *wamp.Error:
				w.reason = m.Error
			}
			w.messages <- message
		}
		close(w.messages)
	}()
	return w
}

func (w *watched) Recv() <-chan wamp.Message { return w.messages }

func say(answer wamp.Dict) {
	if err := json.NewEncoder(os.Stdout).Encode(answer); err != nil {
		log.Fatal(err)
	}
}

// sign answers a cryptosign challenge: nexus has only the router's half of that method.
func sign(seed []byte, challenge *wamp.Challenge) string {
	text, _ := wamp.AsString(challenge.Extra["challenge"])
	octets, err := hex.DecodeString(text)
	if err != nil {
		return ""
	}
	return hex.EncodeToString(append(ed25519.Sign(ed25519.NewKeyFromSeed(seed), octets), octets...))
}

func configuration(realm, method, authid, secret string) client.Config {
	config := client.Config{Realm: realm, HelloDetails: wamp.Dict{}, Logger: log.Default()}
	if authid != "" {
		config.HelloDetails["authid"] = authid
	}
	answer := func(respond func(*wamp.Challenge) string) {
		config.AuthHandlers = map[string]client.AuthFunc{
			method: func(challenge *wamp.Challenge) (string, wamp.Dict) { return respond(challenge), wamp.Dict{} },
		}
	}
	switch method {
	case "anonymous": // nobody is asked anything, and nexus offers only methods that have a handler
		config.HelloDetails["authmethods"] = wamp.List{method}
	case "ticket":
		answer(func(*wamp.Challenge) string { return secret })
	case "wampcra":
		answer(func(challenge *wamp.Challenge) string { return crsign.RespondChallenge(secret, challenge, nil) })
	case "cryptosign":
		seed, err := hex.DecodeString(secret)
		if err != nil || len(seed) != ed25519.SeedSize {
			log.Fatal("the secret of cryptosign is 32 octets in hex")
		}
		key := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
		config.HelloDetails["authextra"] = wamp.Dict{"pubkey": hex.EncodeToString(key)}
		answer(func(challenge *wamp.Challenge) string { return sign(seed, challenge) })
	default:
		log.Fatalf("no method %q", method)
	}
	return config
}

func trust() *tls.Config {
	certificates, err := os.ReadFile(os.Getenv("CA_FILE"))
	if err != nil {
		log.Fatal(err)
	}
	authorities := x509.NewCertPool()
	if !authorities.AppendCertsFromPEM(certificates) {
		log.Fatal("no certificate in CA_FILE")
	}
	return &tls.Config{RootCAs: authorities}
}

// connect opens the transport alone: JSON over WebSocket, MessagePack over RawSocket.
func connect(address string) (wamp.Peer, error) {
	where, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	var security *tls.Config
	if where.Scheme == "wss" || where.Scheme == "tls" {
		security = trust()
	}
	if strings.HasPrefix(where.Scheme, "ws") {
		return transport.ConnectWebsocketPeer(context.Background(), address, serialize.JSON, security, log.Default(), nil)
	}
	return transport.ConnectRawSocketPeer(context.Background(), "tcp", where.Host, serialize.MSGPACK, security,
		log.Default(), 0)
}

// obey gives the answer to one line of test_logins.py.
func obey(session *client.Client, peer *watched, events *atomic.Int64, line []string) wamp.Dict {
	switch line[0] {
	case "call":
		result, err := session.Call(context.Background(), line[1], nil, nil, nil, nil)
		var refused client.RPCError
		if errors.As(err, &refused) {
			return wamp.Dict{"error": refused.Err.Error}
		} else if err != nil {
			log.Fatal(err)
		}
		if len(result.Arguments) == 0 {
			return wamp.Dict{"result": nil}
		}
		return wamp.Dict{"result": result.Arguments[0]}
	case "subscribe":
		if err := session.Subscribe(line[1], func(*wamp.Event) { events.Add(1) }, nil); err != nil {
			return wamp.Dict{"error": peer.reason}
		}
		return wamp.Dict{"ok": true}
	default:
		return wamp.Dict{"events": events.Load()}
	}
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 6 {
		log.Fatal("usage: login_nexus URL REALM METHOD AUTHID SECRET")
	}
	connection, err := connect(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	peer := watch(connection)
	session, err := client.NewClient(peer, configuration(os.Args[2], os.Args[3], os.Args[4], os.Args[5]))
	if err != nil {
		if peer.reason == "" {
			log.Fatal(err)
		}
		say(wamp.Dict{"refused": peer.reason})
		return
	}
	details := session.RealmDetails()
	say(wamp.Dict{"joined": details["authid"], "method": details["authmethod"]})
	var events atomic.Int64
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var line []string
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil || len(line) == 0 {
			log.Fatalf("not a command: %s", lines.Text())
		}
		if line[0] == "quit" {
			break
		}
		say(obey(session, peer, &events, line))
	}
	if err := session.Close(); err != nil {
		log.Fatal(err)
	}
}
