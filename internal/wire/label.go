package wire

// A Label separates one use of a hash or a signature from every other. Each
// stands here and nowhere else; a label is never reused for another structure.
type Label string

// Labels of hashes, used by [Hash] with "Kith 1 " in front.
const (
	HashDevice    Label = "device"     // DeviceID: u8 sigalg, key[32]
	HashBlock     Label = "block"      // BlockHash
	HashCore      Label = "core"       // CoreHash
	HashBody      Label = "body"       // body_hash of a block
	HashInstance  Label = "instance"   // Instance: person[32], parent or nonce[32], u16 op index
	HashInfo      Label = "info"       // info commitment: salt[32], opaque name<V>, picture hash[32]
	HashMLSGroup  Label = "kith mls"   // MLS group id: core_hash[32]
	HashKnockKey  Label = "knock key"  // opaque knock key<V>
	HashExternal  Label = "external"   // mls_external_pub_hash: opaque key<V>
	HashTreeLeaf  Label = "state leaf" // leaf of the state tree, RFC 6962 section 2.1
	HashTreeNode  Label = "state node" // inner node of the state tree
	HashAttach    Label = "attachment" // opaque attachment<V>
	HashFloor     Label = "floor"      // a newcomer's floor
	HashEntry     Label = "entry hash" // EntryHash
	HashEntryAAD  Label = "entry aad"  // authenticated_data of an entry's ciphertext
	HashContent   Label = "content"    // content_commit
	HashFrontier  Label = "frontier"   // digest of a frontier
	HashDigest    Label = "digest"     // sync digest of a group
	HashLinkCheck Label = "link check" // checksum of a contact link
	HashPrint     Label = "print"      // fingerprint shown to people

	HashCiphertext Label = "ciphertext" // ciphertext_hash of an entry: opaque ciphertext<V>
	HashVote       Label = "vote"       // all bytes of a vote, signature included
	HashVotes      Label = "votes"      // digest of the votes held of a group
	HashPerson     Label = "person"     // what is told with a person's chain: opaque name<V>, packages<V>
	HashLifetime   Label = "lifetime"   // tag of a content id that says how long the content lasts

	HashDeviceCheck Label = "device check" // checksum of a device link
	HashLinkCommit  Label = "link commit"  // what a device that joins commits to: nonce[32], device key[32], opaque knock key<V>
	HashLinkDigits  Label = "link digits"  // of which the digits that two devices compare are made: see docs/spec/device-link.md

	HashBoxCheck   Label = "box check"  // checksum of the address of a mailbox
	HashCapability Label = "capability" // what a mailbox keeps of a capability[32]
	HashDrop       Label = "drop"       // name of a drop: bool keep, write hash[32], read hash[32]
)

// Labels of signatures, used by [SignContent] with "Kith 1 " in front.
const (
	SignBlock       Label = "block"
	SignEntry       Label = "entry"
	SignAck         Label = "ack"
	SignReach       Label = "reach"
	SignLeave       Label = "leave"
	SignNack        Label = "nack"
	SignKnock       Label = "knock"
	SignKnockAnswer Label = "knock answer"
	SignRequest     Label = "request"
	SignAnswer      Label = "request answer"
	SignVote        Label = "vote"
	SignRendezvous  Label = "rendezvous"
	SignBundle      Label = "bundle"
	SignJoin        Label = "join"
	SignJoinAnswer  Label = "join answer"
)

// Labels of other derivations: HPKE info, HKDF info, TLS exporter.
const (
	InfoKnock             = "Kith 1 knock"      // HPKE info of the knock box
	InfoLinkTag           = "Kith 1 link tag"   // HKDF info: secret of a contact link to its tag
	InfoLinkMaker         = "Kith 1 link maker" // HKDF info: secret of a contact link to that by which its maker is found
	InfoLinkAsker         = "Kith 1 link asker" // HKDF info: the same to that by which who opens it is found
	InfoLinkKey           = "Kith 1 link key"   // HKDF info: secret of a contact link to the request's key
	InfoDeviceTag         = "Kith 1 device tag" // HKDF info: secret of a device link to its tag
	InfoDeviceKey         = "Kith 1 device key" // HKDF info: secret of a device link to the key of what is said first
	InfoRecovery          = "Kith 1 recovery"   // HKDF info: phrase to recovery key
	InfoSealing           = "Kith 1 sealing"    // HKDF info: phrase to recovery sealing key
	InfoSession           = "Kith 1 session"    // HPKE exporter context: knock box to the secret of its session
	InfoDialler           = "Kith 1 dialler"    // HKDF info: secret of a session to the key of the dialler's frames
	InfoListener          = "Kith 1 listener"   // HKDF info: the same to that of the listener's
	ExporterKnock         = "EXPORTER-kith-knock"
	InfoRendezvousPlace   = "Kith 1 rendezvous place"   // HKDF info, before slot and number: secret to the keys of a place
	InfoRendezvousPhase   = "Kith 1 rendezvous phase"   // HKDF info: secret to when its slots begin
	InfoRendezvousContext = "Kith 1 rendezvous context" // HKDF info: secret to what is signed in its place
	InfoDropDay           = "Kith 1 drop day"           // HKDF info: root of a group's drops to the secret of a day, then u64 day
	InfoDropWrite         = "Kith 1 drop write"         // HKDF info: secret of a drop to the capability to write
	InfoDropRead          = "Kith 1 drop read"          // HKDF info: the same to that to read
	InfoDropTurn          = "Kith 1 drop turn"          // HKDF info: the same to the order of turns
	labelPrefix           = "Kith 1 "
	maxLabelLength        = 255 - len(labelPrefix)
	ExportDrops           = "Kith 1 drops"     // MLS exporter: an epoch to the secret of its mailbox drops
	InfoDropRoot          = "Kith 1 drop root" // HKDF info: that secret to the root of its drops in one mailbox
	InfoDropItem          = "Kith 1 drop item" // HKDF info: likewise to the secret that items are sealed under
	InfoBundle            = "Kith 1 bundle"    // HPKE info of a wrap; HKDF info of the keys of a bundle
)
