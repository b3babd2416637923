// One member of MLS groups, played by ts-mls, that does what it is told over
// standard input and output: one JSON object a line each way, bytes as hex.
import { createInterface } from "node:readline"
import * as mls from "ts-mls"
import { createGroupInfo } from "./node_modules/ts-mls/dist/src/createCommit.js"
import { decodeRatchetTree, encodeRatchetTree } from "./node_modules/ts-mls/dist/src/ratchetTree.js"
import { p256, p384, p521 } from "@noble/curves/nist.js"

const bytes = (hex) => Uint8Array.from(Buffer.from(hex, "hex"))
const hex = (b) => Buffer.from(b).toString("hex")
const suiteName = (suite) => Object.entries(mls.ciphersuites).find(([, id]) => id === suite)[0]
const suiteOf = (suite) => mls.getCiphersuiteImpl(mls.getCiphersuiteFromName(suiteName(suite)), mls.nobleCryptoProvider)

const states = new Map() // group states and who plays them, by name
const packs = new Map() // key packages with their private keys, by name
let psks = {}

const opaque = (b) => Uint8Array.from([...(b.length < 64 ? [b.length] : [0x40 | (b.length >> 8), b.length & 0xff]), ...b])
const frame = (wireformat, body) => hex(mls.encodeMlsMessage({ version: "mls10", wireformat, ...body }))
function unframe(h, wireformat) {
  const message = mls.decodeMlsMessage(bytes(h), 0)?.[0]
  if (!message) throw new Error("does not decode")
  if (wireformat && message.wireformat !== wireformat) throw new Error(`is a ${message.wireformat}`)
  return message
}
const tree = (h) => (h ? decodeRatchetTree(bytes(h), 0)[0] : undefined)

// signatureKey works around a fault of ts-mls 1.6.4: it sends the public key of
// ECDSA as a compressed point; RFC 9420 section 5.1.1 says uncompressed.
async function signatureKey(impl, suite) {
  const made = await impl.signature.keygen()
  const curve = { 2: p256, 5: p521, 7: p384 }[suite]
  return curve ? { signKey: made.signKey, publicKey: curve.getPublicKey(made.signKey, false) } : made
}

function proposal(p, s) {
  const nonce = s.suite.rng.randomBytes(s.suite.kdf.size)
  if (p.add) return { proposalType: "add", add: { keyPackage: unframe(p.add, "mls_key_package").keyPackage } }
  if (p.remove !== undefined) return { proposalType: "remove", remove: { removed: p.remove } }
  if (p.psk) return { proposalType: "psk", psk: { preSharedKeyId: { psktype: "external", pskId: bytes(p.psk), pskNonce: nonce } } }
  if (p.resumption !== undefined) {
    const id = { psktype: "resumption", usage: "application", pskGroupId: s.state.groupContext.groupId, pskEpoch: BigInt(p.resumption), pskNonce: nonce }
    return { proposalType: "psk", psk: { preSharedKeyId: id } }
  }
  if (p.extensions) return { proposalType: "group_context_extensions", groupContextExtensions: { extensions: [] } }
  if (p.reinit) {
    const reinit = { groupId: bytes(p.reinit), version: "mls10", cipherSuite: suiteName(p.suite), extensions: [] }
    return { proposalType: "reinit", reinit }
  }
  throw new Error("no such proposal")
}

function committed(s, result) {
  s.state = result.newState
  return {
    commit: hex(mls.encodeMlsMessage(result.commit)),
    welcome: result.welcome ? frame("mls_welcome", { welcome: result.welcome }) : "",
    tree: "",
  }
}

const verbs = {
  async keyPackage({ pack, suite, identity }) {
    const impl = await suiteOf(suite)
    const credential = { credentialType: "basic", identity: new TextEncoder().encode(identity) }
    const made = await mls.generateKeyPackageWithKey(
      credential, mls.defaultCapabilities(), mls.defaultLifetime, [], await signatureKey(impl, suite), impl)
    packs.set(pack, { ...made, suite: impl })
    return { keyPackage: frame("mls_key_package", { keyPackage: made.publicPackage }) }
  },
  async psks({ list }) {
    psks = {}
    for (const [id, secret] of Object.entries(list)) psks[mls.bytesToBase64(bytes(id))] = bytes(secret)
    return {}
  },
  async create({ name, pack, group }) {
    const p = packs.get(pack)
    states.set(name, { suite: p.suite, state: await mls.createGroup(bytes(group), p.publicPackage, p.privatePackage, [], p.suite) })
    return {}
  },
  async join({ name, pack, welcome, tree: outside, from, how }) {
    const p = packs.get(pack)
    const w = unframe(welcome, "mls_welcome").welcome
    let state
    if (how === "branch") state = await mls.joinGroupFromBranch(states.get(from).state, w, p.publicPackage, p.privatePackage, tree(outside), p.suite)
    else if (how === "reinit") state = await mls.joinGroupFromReinit(states.get(from).state, w, p.publicPackage, p.privatePackage, tree(outside), mls.nobleCryptoProvider)
    else state = await mls.joinGroup(w, p.publicPackage, p.privatePackage, mls.makePskIndex(undefined, psks), p.suite, tree(outside))
    states.set(name, { suite: p.suite, state })
    return {}
  },
  async joinExternal({ name, pack, info, tree: outside, resync }) {
    const p = packs.get(pack)
    const made = await mls.joinGroupExternal(unframe(info, "mls_group_info").groupInfo, p.publicPackage, p.privatePackage, !!resync, p.suite, tree(outside))
    states.set(name, { suite: p.suite, state: made.newState })
    return { commit: frame("mls_public_message", { publicMessage: made.publicMessage }) }
  },
  async commit({ name, clear, proposals, inline }) {
    const s = states.get(name)
    const context = { state: s.state, cipherSuite: s.suite, pskIndex: mls.makePskIndex(s.state, psks) }
    const options = { wireAsPublicMessage: clear, extraProposals: (proposals ?? []).map((p) => proposal(p, s)), ratchetTreeExtension: inline }
    return committed(s, await mls.createCommit(context, options))
  },
  async propose({ name, clear, proposal: p }) {
    const s = states.get(name)
    const made = await mls.createProposal(s.state, clear, proposal(p, s), s.suite)
    s.state = made.newState
    return { message: hex(mls.encodeMlsMessage(made.message)) }
  },
  async process({ name, message }) {
    const s = states.get(name)
    const index = mls.makePskIndex(s.state, psks)
    const m = unframe(message)
    // Not processMessage: in ts-mls 1.6.4 it leaves out the pre-shared keys for a
    // PrivateMessage (RFC 9420 section 8.4).
    const result = m.privateMessage
      ? await mls.processPrivateMessage(s.state, m.privateMessage, index, s.suite, mls.acceptAll)
      : await mls.processPublicMessage(s.state, m.publicMessage, index, s.suite, mls.acceptAll)
    s.state = result.newState
    return { text: result.kind === "applicationMessage" ? hex(result.message) : "" }
  },
  async send({ name, text }) {
    const s = states.get(name)
    const made = await mls.createApplicationMessage(s.state, bytes(text), s.suite)
    s.state = made.newState
    return { message: frame("mls_private_message", { privateMessage: made.privateMessage }) }
  },
  async info({ name }) {
    // A fault of ts-mls 1.6.4: its external_pub extension is the bare key; in RFC
    // 9420 section 12.4.3.2 it is a struct, and the key has a length in front.
    const { state, suite } = states.get(name)
    const made = await mls.createGroupInfoWithExternalPub(state, [], suite)
    const key = made.extensions.find((x) => x.extensionType === "external_pub").extensionData
    const extensions = [
      { extensionType: "external_pub", extensionData: opaque(key) },
      { extensionType: "ratchet_tree", extensionData: encodeRatchetTree(state.ratchetTree) },
    ]
    return { info: frame("mls_group_info", { groupInfo: await createGroupInfo(state.groupContext, state.confirmationTag, state, extensions, suite) }) }
  },
  async secrets({ name, label, context }) {
    const s = states.get(name)
    const k = s.state.keySchedule
    return {
      authenticator: hex(k.epochAuthenticator),
      exported: hex(await mls.mlsExporter(k.exporterSecret, label, bytes(context), 40, s.suite)),
      epoch: Number(s.state.groupContext.epoch),
    }
  },
  async branch({ name, from, pack, members, group }) {
    const p = packs.get(pack)
    const others = members.map((m) => unframe(m, "mls_key_package").keyPackage)
    const s = { suite: p.suite }
    states.set(name, s)
    return committed(s, await mls.branchGroup(states.get(from).state, p.publicPackage, p.privatePackage, others, bytes(group), p.suite))
  },
  async reinit({ name, from, pack, members, group, suite }) {
    const p = packs.get(pack)
    const others = members.map((m) => unframe(m, "mls_key_package").keyPackage)
    const s = { suite: p.suite }
    states.set(name, s)
    return committed(s, await mls.reinitCreateNewGroup(states.get(from).state, p.publicPackage, p.privatePackage, others, bytes(group), suiteName(suite), [], mls.nobleCryptoProvider))
  },
}

for await (const line of createInterface({ input: process.stdin })) {
  let answer
  try {
    const { verb, ...rest } = JSON.parse(line)
    answer = await verbs[verb](rest)
  } catch (e) {
    answer = { error: `${e.name}: ${e.message}` }
  }
  process.stdout.write(JSON.stringify(answer) + "\n")
}
