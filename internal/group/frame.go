package group

import (
	"kith/internal/chain"
	"kith/internal/dag"
	"kith/internal/wire"
)

// What machines of one group say to each other. Each payload is one of these,
// with its number in front. Numbers are on the wire: append only.
//
//	number name        body
//	1      digest      digest[32] of all that the sender holds
//	2      have        opaque offer<V>, opaque frontier<V>, acks: (device[32], u64 seq)<V>, reaches: likewise
//	3      blocks      (opaque header<V>, opaque body<V>, opaque welcome<V>)<V>, u8 more
//	4      entries     (opaque header<V>, opaque ciphertext<V>)<V>, u8 answer: 0 pushed, 1 last of an answer, 2 more of it follow
//	5      want        opaque frontier<V>, refs: (device[32], u64 seq, short[16])<V>
//	6      statements  opaque ack<V>..., opaque reach<V>..., opaque leave<V>..., opaque info<V>..., each list as one vector
//	7      ask info    commitment[32]...<V>
//	8      invitation  see invitation.go
//	9      ask keys    block[32] of whose epoch the GroupInfo is wanted
//	10     keys        block[32], opaque GroupInfo<V> without the tree
//	11     entrance    see entrance.go
//	12     faults      see nack.go
//	13     people      see people.go
//	14     votes       u8 part; 0: settled[32], digest[32]; 1 pushed, 2 answered: see voteframe.go
//	15     pages       u8 part; 0 opening, 1 ask, 2 page: see pageframe.go
//	20     ask content (device[32], u64 seq, short[16])<V>, at most 256
//	21     contents    (opaque header<V>, opaque salt and content<V>)<V>, u8 answer: 1 last, 2 more of it follow
//	22-25  heads, ask, stretch, numbers: see headsframe.go
//	28-30  acks, ack numbers, ack digest: see acksframe.go
//	32     typing      see typing.go
//	33     ask earlier see earlierframe.go
//	34     earlier     likewise
//	35, 36 block news, ask blocks: see blocknewsframe.go
//	37     marked acks see acksframe.go
//	39     settings    see settingsgive.go
//	40     tree        a frame of the broadcast tree, which the machine never sees: see broadcast.go
//	43-45  prompt ack, pass on, links: see ackpromptframe.go
//
// docs/spec/sync.md says when each is sent.
const (
	frameDigest     uint8 = 1
	frameHave       uint8 = 2
	frameBlocks     uint8 = 3
	frameEntries    uint8 = 4
	frameWant       uint8 = 5
	frameStatements uint8 = 6
	frameAskInfo    uint8 = 7
	frameInvitation uint8 = 8
	frameAskKeys    uint8 = 9
	frameKeys       uint8 = 10
	frameEntrance   uint8 = 11
	frameFaults     uint8 = 12
	framePeople     uint8 = 13
	frameVotes      uint8 = 14
	framePages      uint8 = 15
	// 16 to 19 are reserved.
	frameAskContents uint8 = 20
	frameContents    uint8 = 21

	// Of sync by heads, see headsframe.go.
	frameHeads   uint8 = 22
	frameAsk     uint8 = 23
	frameStretch uint8 = 24
	frameNumbers uint8 = 25
	// 26 and 27 are reserved.

	// Of Acks in a large group, see acksframe.go.
	frameAcks       uint8 = 28
	frameAckNumbers uint8 = 29
	frameAckDigest  uint8 = 30
	// 31 is reserved.
	frameTyping uint8 = 32

	frameAskEarlier uint8 = 33
	frameEarlier    uint8 = 34

	// Of blocks that are new, see blocknewsframe.go.
	frameBlockNews uint8 = 35
	frameAskBlocks uint8 = 36

	frameMarkedAcks uint8 = 37
	// 38 is reserved.
	frameSettings uint8 = 39
	frameTree     uint8 = 40
	// 41 and 42 are reserved.

	// Of Acks to who waits for them and of who needs no digest, see ackpromptframe.go.
	framePromptAck uint8 = 43
	framePassOn    uint8 = 44
	frameLinks     uint8 = 45
)

// Answers of an entries frame.
const (
	entriesPushed uint8 = 0
	entriesLast   uint8 = 1
	entriesMore   uint8 = 2
	entriesCut    uint8 = 3 // the last of an answer, and of what was asked for there is more: to ask and stretch alone
)

type seqOf struct {
	device wire.DeviceID
	seq    uint64
}

type haveFrame struct {
	offer    chain.Offer
	frontier dag.Frontier
	acks     []seqOf
	reaches  []seqOf
}

type blockFrame struct {
	header, body []byte
	welcome      []byte // made with the block, see invitation.go; empty: none, or not needed any more
}

type blocksFrame struct {
	blocks []blockFrame
	more   bool
}

// Packed is an entry as it travels: header and ciphertext, both as received.
type Packed struct{ Header, Ciphertext []byte }

type entriesFrame struct {
	entries []Packed
	answer  uint8
}

type wantFrame struct {
	frontier dag.Frontier
	refs     []dag.Ref
}

type keysFrame struct {
	block wire.BlockHash
	info  []byte
}

type statementsFrame struct{ acks, reaches, leaves, infos [][]byte }

// encodeHash encodes a payload that is one hash: a digest, ask keys, an Ack digest.
func encodeHash[T ~[32]byte](kind uint8, h T) []byte {
	var w wire.Writer
	w.U8(kind)
	w.Raw(h[:])
	return w.Bytes()
}

func parseHash[T ~[32]byte](r *wire.Reader) (h T, err error) {
	b := [32]byte(h)
	r.Fixed(b[:])
	return T(b), r.Done()
}

func writeSeqs(w *wire.Writer, seqs []seqOf) {
	w.Group(func(w *wire.Writer) {
		for _, s := range seqs {
			w.Raw(s.device[:])
			w.U64(s.seq)
		}
	})
}

// readSeqs reads one number each of at most all devices, and refuses those that do not
// strictly ascend.
func readSeqs(r *wire.Reader) (seqs []seqOf) {
	r.Each(dag.MaxDevices*40, dag.MaxDevices, func(r *wire.Reader) {
		var s seqOf
		r.Fixed(s.device[:])
		s.seq = r.U64()
		if n := len(seqs); n > 0 && !lessID(seqs[n-1].device, s.device) {
			r.Fail(wire.ErrCanonical)
		}
		seqs = append(seqs, s)
	})
	return seqs
}

func (f haveFrame) bytes() []byte {
	var w wire.Writer
	w.U8(frameHave)
	w.Vec(f.offer.Marshal())
	w.Vec(f.frontier.Marshal())
	writeSeqs(&w, f.acks)
	writeSeqs(&w, f.reaches)
	return w.Bytes()
}

func parseHave(r *wire.Reader) (f haveFrame, err error) {
	offer, frontier := r.Vec(maxHave), r.Vec(maxHave)
	f.acks, f.reaches = readSeqs(r), readSeqs(r)
	if err = r.Done(); err != nil {
		return f, err
	}
	if f.offer, err = chain.ParseOffer(offer); err != nil {
		return f, err
	}
	f.frontier, err = dag.ParseFrontier(frontier)
	return f, err
}

func (f blocksFrame) bytes() []byte {
	var w wire.Writer
	w.U8(frameBlocks)
	writeBlocks(&w, f.blocks)
	w.Bool(f.more)
	return w.Bytes()
}

func writeBlocks(w *wire.Writer, blocks []blockFrame) {
	w.Group(func(w *wire.Writer) {
		for _, b := range blocks {
			w.Vec(b.header)
			w.Vec(b.body)
			w.Vec(b.welcome)
		}
	})
}

func readBlocks(r *wire.Reader) (blocks []blockFrame) {
	r.Each(wire.MaxVector, maxBatchEntries, func(r *wire.Reader) {
		blocks = append(blocks, readBlock(r))
	})
	return blocks
}

func readBlock(r *wire.Reader) blockFrame {
	return blockFrame{header: r.Vec(maxBlock), body: r.Vec(maxBlock), welcome: r.Vec(maxBlock)}
}

func parseBlocks(r *wire.Reader) (f blocksFrame, err error) {
	f.blocks, f.more = readBlocks(r), r.Bool()
	return f, r.Done()
}

func (f entriesFrame) bytes() []byte { return f.numbered(frameEntries) }

// numbered is the frame as one of entries or of contents.
func (f entriesFrame) numbered(kind uint8) []byte {
	var w wire.Writer
	w.U8(kind)
	w.Group(func(w *wire.Writer) {
		for _, e := range f.entries {
			w.Vec(e.Header)
			w.Vec(e.Ciphertext)
		}
	})
	w.U8(f.answer)
	return w.Bytes()
}

func parseEntries(r *wire.Reader) (entriesFrame, error) {
	return readEntries(r, MaxCiphertext, entriesPushed, entriesCut)
}

// parseContents reads a frame that has, in place of each ciphertext, what stood in it:
// salt, content. Nobody sends it unasked.
func parseContents(r *wire.Reader) (entriesFrame, error) {
	return readEntries(r, saltSize+MaxContent, entriesLast, entriesMore)
}

func readEntries(r *wire.Reader, limit int, least, most uint8) (f entriesFrame, err error) {
	r.Each(wire.MaxVector, maxBatchEntries, func(r *wire.Reader) {
		f.entries = append(f.entries, Packed{r.Vec(maxEntryHeader), r.Vec(limit)})
	})
	if f.answer = r.U8(); f.answer < least || f.answer > most {
		r.Fail(wire.ErrCanonical)
	}
	return f, r.Done()
}

func (f wantFrame) bytes() []byte {
	var w wire.Writer
	w.U8(frameWant)
	w.Vec(f.frontier.Marshal())
	writeRefs(&w, f.refs)
	return w.Bytes()
}

func writeRefs(w *wire.Writer, refs []dag.Ref) {
	w.Group(func(w *wire.Writer) {
		for _, ref := range refs {
			w.Raw(ref.Device[:])
			w.U64(ref.Seq)
			w.Raw(ref.Hash[:])
		}
	})
}

func readRefs(r *wire.Reader, most int) (refs []dag.Ref) {
	r.Each(most*56, most, func(r *wire.Reader) {
		var ref dag.Ref
		r.Fixed(ref.Device[:])
		ref.Seq = r.U64()
		r.Fixed(ref.Hash[:])
		refs = append(refs, ref)
	})
	return refs
}

func parseWant(r *wire.Reader) (f wantFrame, err error) {
	frontier := r.Vec(maxHave)
	f.refs = readRefs(r, maxBatchEntries)
	if err = r.Done(); err != nil {
		return f, err
	}
	f.frontier, err = dag.ParseFrontier(frontier)
	return f, err
}

func writeList(w *wire.Writer, list [][]byte) {
	w.Group(func(w *wire.Writer) {
		for _, b := range list {
			w.Vec(b)
		}
	})
}

func readList(r *wire.Reader, limit, most int) (list [][]byte) {
	r.Each(wire.MaxVector, most, func(r *wire.Reader) { list = append(list, r.Vec(limit)) })
	return list
}

func (f statementsFrame) bytes() []byte {
	var w wire.Writer
	w.U8(frameStatements)
	for _, list := range [][][]byte{f.acks, f.reaches, f.leaves, f.infos} {
		writeList(&w, list)
	}
	return w.Bytes()
}

func (f statementsFrame) empty() bool {
	return len(f.acks)+len(f.reaches)+len(f.leaves)+len(f.infos) == 0
}

func parseStatements(r *wire.Reader) (f statementsFrame, err error) {
	f.acks = readList(r, maxAck, maxStatements)
	f.reaches = readList(r, maxReach, maxStatements)
	f.leaves = readList(r, maxLeave, maxStatements)
	f.infos = readList(r, maxInfo, maxStatements)
	return f, r.Done()
}

func (f keysFrame) bytes() []byte {
	var w wire.Writer
	w.U8(frameKeys)
	w.Raw(f.block[:])
	w.Vec(f.info)
	return w.Bytes()
}

func parseKeys(r *wire.Reader) (f keysFrame, err error) {
	r.Fixed(f.block[:])
	f.info = r.Vec(maxGroupInfo)
	return f, r.Done()
}

func encodeAskInfo(want []wire.Digest) []byte {
	var w wire.Writer
	w.U8(frameAskInfo)
	w.Group(func(w *wire.Writer) {
		for _, d := range want {
			w.Raw(d[:])
		}
	})
	return w.Bytes()
}

func parseAskInfo(r *wire.Reader) (want []wire.Digest, err error) {
	r.Each(maxStatements*32, maxStatements, func(r *wire.Reader) {
		var d wire.Digest
		r.Fixed(d[:])
		want = append(want, d)
	})
	return want, r.Done()
}
