# SPDX-License-Identifier: Apache-2.0
"""One autobahn session as callee and subscriber, one as caller and publisher, in one process.

usage: python_client.py URL TRANSPORT SERIALIZER CALLEE_SERIALIZER; prints "ok" when all came back right.
"""
import asyncio
import sys

from autobahn.asyncio.rawsocket import WampRawSocketClientFactory, WampRawSocketClientProtocol
from autobahn.asyncio.wamp import ApplicationSession
from autobahn.asyncio.websocket import WampWebSocketClientFactory
from autobahn.wamp.exception import ApplicationError
from autobahn.wamp.serializer import CBORSerializer, JsonSerializer, MsgPackSerializer
from autobahn.wamp.types import ComponentConfig, PublishOptions, RegisterOptions, SubscribeOptions

# autobahn 22.7 reads this attribute on WELCOME, and its asyncio RawSocket never sets it.
if not hasattr(WampRawSocketClientProtocol, "transport_details"):
    WampRawSocketClientProtocol.transport_details = None

SERIALIZERS = {"json": JsonSerializer, "msgpack": MsgPackSerializer, "cbor": CBORSerializer}
VALUES = [None, True, False, 0, -1, 127, 128, 65536, 2 ** 31, 2 ** 53, -2 ** 53, 1.5, -0.25, "",
          "grüße 漢字 \U0001F600 \" \\ \n", "x" * 70000, [], {}, [1, [2, [3, {"a": [None]}]]],
          {"k": {"n": 1, "t": "v"}}, b"", b"\x10\xe3\xff\x90\x53\x07"]
SECONDS = 60


class Session(ApplicationSession):
    joined = None

    def onJoin(self, details):
        self.joined.set_result(details)

    def onLeave(self, details):
        if not self.joined.done():
            self.joined.set_exception(RuntimeError(str(details)))
        super().onLeave(details)

    def onDisconnect(self):
        self.gone.set_result(None)


async def connect(url, transport, serializer):
    loop = asyncio.get_running_loop()
    session = Session(ComponentConfig("dev", {}))
    session.joined, session.gone = loop.create_future(), loop.create_future()
    host, port = url.split("://")[1].split("/")[0].split(":")
    if transport == "ws":
        factory = WampWebSocketClientFactory(lambda: session, url=url, serializers=[SERIALIZERS[serializer]()])
    else:
        factory = WampRawSocketClientFactory(lambda: session, serializer=SERIALIZERS[serializer]())
    factory.loop = loop
    await loop.create_connection(factory, host, int(port))
    await session.joined
    return session


async def rpc(caller, callee, tag):
    def echo(*args, **kwargs):
        return {"args": list(args), "kwargs": kwargs}

    def broken():
        raise ApplicationError("com.example.error.broken", "why", detail=7)

    registration = await callee.register(echo, f"com.example.{tag}.echo")
    await callee.register(broken, f"com.example.{tag}.broken")
    await callee.register(echo, f"com.example.{tag}.any", RegisterOptions(match="prefix"))
    got = await caller.call(f"com.example.{tag}.echo", *VALUES, name="value", nested={"list": VALUES})
    assert got == {"args": VALUES, "kwargs": {"name": "value", "nested": {"list": VALUES}}}, got
    assert (await caller.call(f"com.example.{tag}.any.thing", 1))["args"] == [1]
    many = await asyncio.gather(*[caller.call(f"com.example.{tag}.echo", n) for n in range(500)])
    assert [m["args"][0] for m in many] == list(range(500))
    try:
        await caller.call(f"com.example.{tag}.broken")
        raise AssertionError("an error was expected")
    except ApplicationError as error:
        assert error.error == "com.example.error.broken" and list(error.args) == ["why"], error
        assert error.kwargs["detail"] == 7, error
    await registration.unregister()
    try:
        await caller.call(f"com.example.{tag}.echo", 1)
        raise AssertionError("no_such_procedure was expected")
    except ApplicationError as error:
        assert error.error == "wamp.error.no_such_procedure", error


async def pubsub(publisher, subscriber, tag):
    seen, done = [], asyncio.get_running_loop().create_future()

    def on_event(*args, **kwargs):
        seen.append((list(args), {k: v for k, v in kwargs.items() if k != "details"}))
        if len(seen) == 200 and not done.done():
            done.set_result(None)

    subscription = await subscriber.subscribe(on_event, f"com.example.{tag}.topic")
    pattern = await subscriber.subscribe(lambda *a: None, f"com.example..topic", SubscribeOptions(match="wildcard"))
    # Large values once: what a subscriber does not read in time is dropped above the queue's limit.
    publisher.publish(f"com.example.{tag}.topic", VALUES, key=0)
    for n in range(1, 200):
        publisher.publish(f"com.example.{tag}.topic", n, key=n)
    await done
    assert [s[0] for s in seen] == [[VALUES]] + [[n] for n in range(1, 200)]
    assert [s[1] for s in seen] == [{"key": n} for n in range(200)]
    acknowledged = await publisher.publish(f"com.example.{tag}.nobody", options=PublishOptions(acknowledge=True))
    assert acknowledged.id > 0
    await subscription.unsubscribe()
    await pattern.unsubscribe()


async def main(url, transport, serializer, callee_serializer):
    tag = f"{transport}.{serializer}.{callee_serializer}"
    callee = await connect(url, transport, callee_serializer)
    caller = await connect(url, transport, serializer)
    await rpc(caller, callee, tag)
    await pubsub(caller, callee, tag)
    await pubsub(callee, caller, tag)
    for session in (caller, callee):
        session.leave()
        await session.gone
    print("ok")


if __name__ == "__main__":
    asyncio.run(asyncio.wait_for(main(*sys.argv[1:]), SECONDS))
