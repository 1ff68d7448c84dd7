// What MQTT.js says of a broker. Usage: node mqttjs_checks.mjs CHECK URL VERSION, where VERSION is 4 (3.1.1) or 5. MQTTJS names the folder of the package.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'

const mqtt = createRequire(process.env.MQTTJS + '/')('mqtt')
const [check, url, version] = [process.argv[2], process.argv[3], Number(process.argv[4])]
const PATIENCE = 20_000

/** Connected when it is handed out; what arrives waits in a queue. */
async function connect (options = {}) {
  const client = await mqtt.connectAsync(url, { protocolVersion: version, reconnectPeriod: 0, ...options })
  const [messages, waiting] = [[], []]
  client.on('message', (topic, payload, packet) => {
    const message = { topic, payload: payload.toString(), qos: packet.qos, retain: packet.retain, dup: packet.dup, properties: packet.properties ?? {} }
    waiting.length > 0 ? waiting.shift()(message) : messages.push(message)
  })
  client.on('error', () => {})
  client.disconnected = new Promise(resolve => client.on('disconnect', packet => resolve(packet.reasonCode)))
  client.closed = new Promise(resolve => client.on('close', resolve))
  client.receive = () => messages.length > 0
    ? Promise.resolve(messages.shift())
    : Promise.race([new Promise(resolve => waiting.push(resolve)), sleep(PATIENCE, null, { ref: false }).then(() => assert.fail('nothing came'))])
  client.receiveMany = async count => { const all = []; while (all.length < count) all.push(await client.receive()); return all }
  client.receiveNothingMore = async () => {
    const marker = `marker/${Math.random()}`
    await client.subscribeAsync(marker)
    await client.publishAsync(marker, 'end', { qos: 1 })
    assert.equal((await client.receive()).topic, marker)
    await client.unsubscribeAsync(marker)
  }
  return client
}

const numbers = count => [...Array(count).keys()]

const checks = {
  async qos () {
    const [subscriber, publisher] = [await connect(), await connect()]
    assert.equal((await subscriber.subscribeAsync('q/#', { qos: 2 }))[0].qos, 2)
    for (const qos of [0, 1, 2]) {
      await Promise.all(numbers(100).map(n => publisher.publishAsync(`q/${qos}`, `${n}`, { qos })))
      const received = await subscriber.receiveMany(100)
      assert.deepEqual(received.map(m => Number(m.payload)), numbers(100))
      assert(received.every(m => m.qos === qos && !m.dup && !m.retain))
    }
    const large = 'x'.repeat(500_000)
    await publisher.publishAsync('q/large', large, { qos: 2 })
    assert.equal((await subscriber.receive()).payload, large)
    await subscriber.receiveNothingMore()
  },

  async flood () {
    const [subscriber, publisher] = [await connect(), await connect()]
    await subscriber.subscribeAsync('f/#', { qos: 2 })
    for (const qos of [1, 2]) { // More than Receive Maximum, all at once.
      await Promise.all(numbers(10_000).map(n => publisher.publishAsync(`f/${qos}`, `${n}`, { qos })))
      assert.deepEqual((await subscriber.receiveMany(10_000)).map(m => Number(m.payload)), numbers(10_000))
    }
  },

  async retained () {
    const client = await connect()
    await client.publishAsync('r/a', 'old', { qos: 1, retain: true })
    await client.publishAsync('r/a', 'new', { qos: 1, retain: true })
    await client.publishAsync('r/b', 'x', { qos: 1, retain: true })
    await client.publishAsync('r/b', '', { qos: 1, retain: true })
    await client.subscribeAsync('r/+', { qos: 1 })
    const message = await client.receive()
    assert.deepEqual([message.topic, message.payload, message.retain], ['r/a', 'new', true])
    if (version === 5) {
      await client.subscribeAsync('r/+', { qos: 1, rh: 2, rap: true })
      await client.publishAsync('r/a', 'live', { qos: 1, retain: true })
      assert.equal((await client.receive()).retain, true)
    }
    await client.receiveNothingMore()
  },

  async will () {
    const watcher = await connect()
    await watcher.subscribeAsync('will/#', { qos: 2 })
    await (await connect({ will: { topic: 'will/polite', payload: 'x' } })).endAsync()
    const rude = await connect({ will: { topic: 'will/rude', payload: 'gone', qos: 1 } })
    rude.stream.destroy()
    assert.deepEqual(await watcher.receive().then(m => [m.topic, m.payload, m.qos]), ['will/rude', 'gone', 1])
    await watcher.receiveNothingMore()
  },

  async wildcardsAndShares () {
    const [one, two, publisher] = [await connect(), await connect(), await connect()]
    await one.subscribeAsync(['w/+/x', 'w/#', '#'], { qos: 1 })
    for (const topic of ['w/a/x', '$w/a', 'v']) await publisher.publishAsync(topic, 'x', { qos: 1 })
    assert.deepEqual((await one.receiveMany(2)).map(m => m.topic), ['w/a/x', 'v'])
    await one.receiveNothingMore()
    await one.unsubscribeAsync(['w/+/x', 'w/#', '#'])
    for (const member of [one, two]) await member.subscribeAsync('$share/g/s', { qos: 1 })
    await Promise.all(numbers(100).map(n => publisher.publishAsync('s', `${n}`, { qos: 1 })))
    const halves = [await one.receiveMany(50), await two.receiveMany(50)]
    assert.deepEqual(halves.flat().map(m => Number(m.payload)).sort((a, b) => a - b), numbers(100))
  },

  async sessions () {
    const kept = { clientId: 'sleeper', clean: false, properties: version === 5 ? { sessionExpiryInterval: 60 } : undefined }
    const first = await connect(kept)
    await first.subscribeAsync('sleep', { qos: 2 })
    await first.endAsync()
    const publisher = await connect()
    for (const qos of [0, 1, 2]) await publisher.publishAsync('sleep', `${qos}`, { qos })
    const second = await mqtt.connect(url, { protocolVersion: version, reconnectPeriod: 0, ...kept })
    const arrived = []
    second.on('message', (topic, payload) => arrived.push(payload.toString()))
    const [connack] = await new Promise(resolve => second.once('connect', (...packet) => resolve(packet)))
    assert.equal(connack.sessionPresent, true)
    while (arrived.length < 2) await sleep(5)
    assert.deepEqual(arrived, ['1', '2'])
    const closed = new Promise(resolve => second.once('close', resolve))
    const told = new Promise(resolve => second.once('disconnect', packet => resolve(packet.reasonCode)))
    await connect(kept)
    await closed
    if (version === 5) assert.equal(await told, 0x8E)
  },

  async properties () {
    const [server, client] = [await connect(), await connect()]
    await server.subscribeAsync('ask/#', { qos: 2, properties: { subscriptionIdentifier: 7 } })
    const sent = { responseTopic: 'answer', correlationData: Buffer.from([0, 42]), contentType: 'text/plain', payloadFormatIndicator: true, messageExpiryInterval: 60, userProperties: { a: ['1', '2'], b: '3' } }
    await client.publishAsync('ask/x', '?', { qos: 2, properties: sent })
    const { properties } = await server.receive()
    assert.equal(properties.subscriptionIdentifier, 7)
    assert(properties.messageExpiryInterval <= 60 && properties.messageExpiryInterval > 30)
    for (const name of ['responseTopic', 'correlationData', 'contentType', 'payloadFormatIndicator']) assert.deepEqual(properties[name], sent[name])
    assert.deepEqual({ ...properties.userProperties }, sent.userProperties)
  },

  async aliases () {
    const client = await connect({ autoAssignTopicAlias: true, properties: { topicAliasMaximum: 5 } })
    await client.subscribeAsync('alias/#', { qos: 1 })
    for (let round = 0; round < 3; round++) for (const n of numbers(20)) await client.publishAsync(`alias/${n}`, `${n}`, { qos: 1 })
    assert((await client.receiveMany(60)).every(m => m.topic === `alias/${m.payload}`))
  },

  async tooLarge () {
    const client = await connect()
    client.publish('large', Buffer.alloc(3_000_000), { qos: 0 })
    assert.equal(await client.disconnected, 0x95)
  }
}

await checks[check]()
process.exit(0)
