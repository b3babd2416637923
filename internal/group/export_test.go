package group

import (
	"slices"

	"kith/internal/chain"
	"kith/internal/dag"
	"kith/internal/identity"
	"kith/internal/mls"
	"kith/internal/wire"
)

// Reencode parses a payload and encodes what it found.
func Reencode(payload []byte) ([]byte, error) {
	r := wire.NewReader(payload)
	switch kind := r.U8(); kind {
	case frameDigest, frameAskKeys, frameAckDigest:
		h, err := parseHash[wire.Digest](r)
		return again(func() []byte { return encodeHash(kind, h) }, err)
	case frameHave:
		f, err := parseHave(r)
		return again(f.bytes, err)
	case frameBlocks:
		f, err := parseBlocks(r)
		return again(f.bytes, err)
	case frameEntries:
		f, err := parseEntries(r)
		return again(f.bytes, err)
	case frameWant:
		f, err := parseWant(r)
		return again(f.bytes, err)
	case frameStatements:
		f, err := parseStatements(r)
		return again(f.bytes, err)
	case frameAskInfo:
		f, err := parseAskInfo(r)
		return again(func() []byte { return encodeAskInfo(f) }, err)
	case frameVotes:
		f, err := parseVotes(r)
		return again(f.bytes, err)
	case frameInvitation:
		f, err := parseInvitation(r)
		return again(f.bytes, err)
	case frameKeys:
		f, err := parseKeys(r)
		return again(f.bytes, err)
	case frameFaults:
		f, err := parseFaults(r)
		return again(f.bytes, err)
	case framePeople:
		f, err := parsePeople(r)
		return again(f.bytes, err)
	case frameAskContents:
		refs, err := parseAskContents(r)
		return again(func() []byte { return encodeAskContents(refs) }, err)
	case frameHeads:
		f, err := parseHeads(r)
		return again(f.bytes, err)
	case frameAsk:
		f, err := parseAsk(r)
		return again(f.bytes, err)
	case frameStretch:
		f, err := parseStretch(r)
		return again(f.bytes, err)
	case frameNumbers:
		f, err := parseNumbers(r)
		return again(f.bytes, err)
	case frameAcks, frameMarkedAcks:
		f, err := parseAcks(r, payload[0] == frameMarkedAcks)
		return again(f.bytes, err)
	case frameAckNumbers:
		f, err := parseAckNumbers(r)
		return again(f.bytes, err)
	case framePromptAck:
		f, err := parsePrompt(r)
		return again(f.bytes, err)
	case framePassOn:
		f, err := parsePassOn(r)
		return again(f.bytes, err)
	case frameLinks:
		f, err := parseLinks(r)
		return again(f.bytes, err)
	case frameContents:
		f, err := parseContents(r)
		return again(func() []byte { return f.numbered(frameContents) }, err)
	case frameTyping:
		on, err := parseTyping(r)
		return again(func() []byte { return encodeTyping(on) }, err)
	case frameBlockNews:
		list, err := parseBlockNews(r)
		return again(func() []byte { return encodeBlockNews(list) }, err)
	case frameAskBlocks:
		f, err := parseAskBlocks(r)
		return again(f.bytes, err)
	case frameAskEarlier:
		f, err := parseAskEarlier(r)
		return again(f.bytes, err)
	case frameEarlier:
		f, err := parseEarlier(r)
		return again(func() []byte { return f.numbered(frameEarlier) }, err)
	case frameSettings:
		f, err := parseSettings(r)
		return again(f.bytes, err)
	case framePages:
		f, err := parsePages(r)
		return again(f.bytes, err)
	case frameEntrance:
		f, err := parseInvitation(r)
		return again(func() []byte { return f.numbered(frameEntrance) }, err)
	}
	return nil, wire.ErrCanonical
}

// StatementsSent returns the frames by which statements go to one peer.
func StatementsSent(acks, reaches, leaves [][]byte) (payloads [][]byte) {
	var eff Effects
	statementsFrame{acks: acks, reaches: reaches, leaves: leaves}.send(wire.DeviceID{}, &eff)
	for _, f := range eff.Send {
		payloads = append(payloads, f.Payload)
	}
	return payloads
}

// ReencodeWelcome does the same with the record and the field of that name.
func ReencodeWelcome(b []byte) ([]byte, error) {
	w, err := parseWelcome(b)
	return again(w.bytes, err)
}

// ReencodeHeld and ReencodeUnsent do the same with the records of these names.
func ReencodeHeld(b []byte) ([]byte, error) {
	h, err := parseHeld(make([]byte, 8), b)
	return again(h.bytes, err)
}

func ReencodeUnsent(b []byte) ([]byte, error) {
	u, err := parseUnsent(b)
	return again(u.bytes, err)
}

func again(encode func() []byte, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	return encode(), nil
}

// Reads reports whether a device announces a feature at the machine's head.
func (m *Machine) Reads(device wire.DeviceID, feature uint16) bool { return m.reads(device, feature) }

// Doubt makes a machine sign a Nack of a block.
func (m *Machine) Doubt(hash wire.BlockHash) { m.nack(hash, chain.NackPath, new(Effects)) }

// Mute makes the machine take every device, until it has another head, for one
// whose program announces nothing and never did; Unmute ends that.
func (m *Machine) Mute() {
	m.said = announcements{m.head, make(map[wire.DeviceID][]uint16)}
	m.spoken = make(map[wire.DeviceID]spoken)
	for _, who := range m.state().Members() {
		for _, d := range who.Devices {
			m.spoken[d.ID] = spoken{upTo: m.head}
		}
	}
}
func (m *Machine) Unmute() { m.said, m.spoken = announcements{}, nil }

// Take gives a machine a block from outside.
func (m *Machine) Take(header, body []byte) error {
	_, err := m.takeBlock(header, body, new(Effects))
	return err
}

// WelcomeAgain makes a block that adds a newcomer, and after it the Welcome of the
// same commit once more.
func (m *Machine) WelcomeAgain(now uint64, n Newcomer) error {
	op, kps, cited, err := admit(n, mls.Suite(m.state().Suite()), wire.BlockHash{}, chain.RoleMember, now)
	if err != nil {
		return err
	}
	h, state, err := m.draft(now, m.head, m.state().Suite(), []chain.Op{op})
	if err != nil {
		return err
	}
	core, floor := h.Core(), m.floorFor(nil)
	staged, err := m.epochs[m.head].secret.Commit(mls.CommitParams{
		Add: kps, AuthenticatedData: core[:], Signer: m.self.Device,
	})
	if err != nil {
		return err
	}
	if _, err := m.seal(h, &chain.Body{Commit: staged.Commit.Bytes(), Attachments: cited}, state, staged, floor, true); err != nil {
		return err
	}
	hash, sum := h.Hash(), floor.Hash()
	_, err = staged.Welcome(m.self.Device, []mls.Extension{{Type: extBlock, Data: hash[:]}, {Type: extFloor, Data: sum[:]}}, true)
	return err
}

// Commit makes a block of one op.
func (m *Machine) Commit(now uint64, op chain.Op, attachments ...[]byte) error {
	return m.commit(now, change{ops: []chain.Op{op}, attachments: attachments}, new(Effects))
}

// SetPageRoom bounds the pages that a machine gives, and its invitations of whole
// blocks, in bytes.
func (m *Machine) SetPageRoom(n int) { m.pageRoom, m.allRoom = n, n }

// Picked is the head.
func (m *Machine) Picked() wire.BlockHash { return m.head }

// A Piece is what an opening or a page holds, to be changed.
type Piece struct {
	Base        *wire.BlockHash
	Certificate *[]byte   // of an opening
	Infos       *[][]byte // of an opening
	Lights      []Light
	Tree        []byte
	Whole       []Whole
	Left        *uint32
}

// Light and Whole are blocks of a Piece.
type (
	Light struct {
		Header      []byte
		Attachments [][]byte
	}
	Whole struct{ Header, Body, Welcome []byte }
)

// Rewrite returns a payload in pages after a change.
func Rewrite(payload []byte, change func(*Piece)) []byte {
	f, err := parsePages(wire.NewReader(payload[1:]))
	if err != nil {
		panic(err)
	}
	p := f.page
	if f.opening != nil {
		p = &f.opening.page
	}
	out := &Piece{Base: &p.base, Tree: p.tree, Left: &p.left}
	if f.opening != nil {
		out.Certificate, out.Infos = &f.opening.certificate, &f.opening.infos
	}
	for _, l := range p.lights {
		out.Lights = append(out.Lights, Light{l.header, l.attachments})
	}
	for _, b := range p.blocks {
		out.Whole = append(out.Whole, Whole{b.header, b.body, b.welcome})
	}
	change(out)
	p.tree, p.lights, p.blocks = out.Tree, nil, nil
	for _, l := range out.Lights {
		p.lights = append(p.lights, lightFrame{l.Header, l.Attachments})
	}
	for _, b := range out.Whole {
		p.blocks = append(p.blocks, blockFrame{b.Header, b.Body, b.Welcome})
	}
	return f.bytes()
}

// WholeSize is how long an invitation with all bodies is.
func (m *Machine) WholeSize(who wire.Member) int {
	hash := m.came(who.Device)
	return len(invitation{
		block: hash, welcome: m.welcomes[hash].bytes(), blocks: m.allBlocks(hash), reaches: m.allReaches(), infos: m.allInfos(),
		certificate: m.certificateFor(who.Device),
	}.bytes())
}

// Keeps reports what is kept of a block's epoch: what leads on from it, and what opens
// its messages.
func (m *Machine) Keeps(hash wire.BlockHash) (leadsOn, opens bool) {
	e := m.epochs[hash]
	return e != nil && !e.secret.Closed(), e != nil
}

// Trees returns how many public groups are in memory of an invitation that comes in
// pages.
func (j *Joining) Trees() int {
	if j.now == nil {
		return 0
	}
	return len(j.now.m.publics)
}

// Doubted returns of how many entries of each device a home keeps the text that had so
// many of each, the oldest first, when it took new keys.
func Doubted(devices []*identity.Device, each int) map[wire.DeviceID]int {
	m := newMachine(Self{Device: identity.NewDevice()})
	for _, d := range devices {
		m.self.Former = append([]*identity.Device{d}, m.self.Former...)
		for seq := range uint64(each) {
			m.unsent[seq+1] = unsent{content: []byte{1}}
		}
		m.doubtUnsent(d.ID(), new(Effects))
	}
	kept := make(map[wire.DeviceID]int)
	for d := range m.doubts.of {
		kept[d.device]++
	}
	return kept
}

// StandsAbove is the rank of two histories of a person that are as long.
func StandsAbove(a, b [][]byte) bool {
	x, err := chain.ParseProof(proof(a))
	y, other := chain.ParseProof(proof(b))
	return err == nil && other == nil && standsAbove(x, y)
}

// EntriesIn returns the entries of a payload, nil if it holds none, and its answer.
func EntriesIn(payload []byte) (refs []dag.Ref, answer uint8) {
	r := wire.NewReader(payload)
	if r.U8() != frameEntries {
		return nil, 0
	}
	f, err := parseEntries(r)
	if err != nil {
		return nil, 0
	}
	for _, e := range f.entries {
		if h, err := dag.ParseHeader(e.Header); err == nil {
			refs = append(refs, h.Ref())
		}
	}
	return refs, f.answer
}

// HeadsPayload names heads, with what the machine has beside.
func (m *Machine) HeadsPayload(heads []dag.Ref, count, top uint64) []byte {
	f := m.headsFrame(wire.DeviceID{})
	f.heads, f.count, f.top = heads, count, top
	return f.bytes()
}

// AskPayload and StretchPayload ask for entries.
func AskPayload(heads, names []dag.Ref) []byte { return askFrame{heads, names}.bytes() }

func (m *Machine) StretchPayload(seqs []uint64, within dag.Range) []byte {
	return stretchFrame{block: m.head, seqs: seqs, within: within}.bytes()
}

// AskedNow is how many requests by heads are under way.
func (m *Machine) AskedNow() int { return len(m.asked) }

// SizesAt returns the bytes of what says what a device has, where as many devices wrote
// and acknowledged: by a have, by heads, and of numbers and a stretch, which follow
// heads where there is a difference beside the log, or much.
func SizesAt(devices int) (have, heads, numbers, stretch int) {
	frontier := make(dag.Frontier)
	var seqs, reaches []seqOf
	var list []wire.DeviceID
	for i := range devices {
		d := wire.DeviceID(wire.Hash(wire.HashDigest, []byte{byte(i), byte(i >> 8)}))
		list = append(list, d)
		frontier[d] = dag.Tip{Seq: 1000, Hash: wire.Short{1}}
	}
	slices.SortFunc(list, compareID)
	offer := chain.Offer{Tips: make([]wire.BlockHash, 1), Locator: make([]wire.BlockHash, 12)}
	for i, d := range list {
		seqs = append(seqs, seqOf{d, uint64(1000 + 17*i)})
		reaches = append(reaches, seqOf{d, uint64(i % 50)})
	}
	have = len(haveFrame{offer, frontier, seqs, reaches}.bytes())
	heads = len(headsFrame{offer: offer, heads: make([]dag.Ref, 3)}.bytes())
	n := numbersFrame{}
	n.acks, n.otherAcks = byTable(list, seqs)
	n.reaches, n.otherReaches = byTable(list, reaches)
	s := stretchFrame{seqs: n.acks}
	return have, heads, len(n.bytes()), len(s.bytes())
}

// Gone is what a machine keeps of what is deleted.
type Gone struct{ gone }

func NewGone() *Gone { return &Gone{newGone()} }

func (g *Gone) Put(t Target, as uint8) bool { return g.put(t, erased(as)) }

func (g *Gone) PutBy(t Target, as uint8, person wire.PersonID, block wire.BlockHash) bool {
	return g.putBy(t, erased(as), power{person, block})
}

func (g *Gone) As(t Target) uint8 { return uint8(g.as(t)) }

// AsBy says as what a message is gone by the powers had at some blocks.
func (g *Gone) AsBy(t Target, blocks ...wire.BlockHash) uint8 {
	return uint8(g.asBy(t, func(by power) bool { return slices.Contains(blocks, by.block) }))
}

// KeysKept is the room that keys take which leaps have passed.
func (m *Machine) KeysKept() int { return m.keysKept() }

// Features is what the leaves of this program announce.
func Features() []uint16 { return featuresIn(Self{}.announced()) }

// Leaves is a payload of signed Leaves.
func Leaves(list ...[]byte) []byte { return statementsFrame{leaves: list}.bytes() }

// TwoEntries is a payload of evidence, two headers with one seq.
func TwoEntries(a, b []byte) []byte {
	return faultsFrame{evidence: [][]byte{newEvidence(chain.SlashEntries, a, b).bytes()}}.bytes()
}

// Nacks is a payload of Nacks.
func Nacks(list ...[]byte) []byte { return faultsFrame{nacks: list}.bytes() }
