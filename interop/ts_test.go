package interop

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	"kith/internal/mls"
	"kith/internal/wire"
)

// A tsPeer is ts-mls behind a pipe; peer.mjs says what it can do.
type tsPeer struct {
	t   *testing.T
	in  io.Writer
	out *bufio.Scanner
}

func newTS(t *testing.T) *tsPeer {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("no node on this machine")
	}
	if _, err := os.Stat("ts/node_modules/ts-mls"); err != nil {
		t.Skip("ts-mls is not installed: npm ci in interop/ts")
	}
	cmd := exec.Command(node, "peer.mjs")
	cmd.Dir, cmd.Stderr = "ts", os.Stderr
	in, err := cmd.StdinPipe()
	check(t, err)
	out, err := cmd.StdoutPipe()
	check(t, err)
	check(t, cmd.Start())
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	})
	p := &tsPeer{t: t, in: in, out: bufio.NewScanner(out)}
	p.out.Buffer(nil, 1<<26)
	return p
}

type args map[string]any

// ask returns the answer or what the peer refused it with.
func (p *tsPeer) ask(verb string, a args) (map[string]any, error) {
	p.t.Helper()
	if a == nil {
		a = args{}
	}
	a["verb"] = verb
	b, err := json.Marshal(a)
	check(p.t, err)
	if _, err := p.in.Write(append(b, '\n')); err != nil {
		p.t.Fatal(err)
	}
	if !p.out.Scan() {
		p.t.Fatalf("%s: the peer is gone: %v", verb, p.out.Err())
	}
	var answer map[string]any
	check(p.t, json.Unmarshal(p.out.Bytes(), &answer))
	if e, ok := answer["error"]; ok {
		return nil, fmt.Errorf("ts-mls: %s: %v", verb, e)
	}
	return answer, nil
}

func (p *tsPeer) do(verb string, a args) map[string]any {
	p.t.Helper()
	answer, err := p.ask(verb, a)
	check(p.t, err)
	return answer
}

func (p *tsPeer) bytes(verb, field string, a args) []byte {
	p.t.Helper()
	b, err := hex.DecodeString(p.do(verb, a)[field].(string))
	check(p.t, err)
	return b
}

// keyPackage makes one for the peer.
func (p *tsPeer) keyPackage(pack string, s mls.Suite) *mls.KeyPackage {
	p.t.Helper()
	b := p.bytes("keyPackage", "keyPackage", args{"pack": pack, "suite": s, "identity": "theirs"})
	k, err := mls.ParseKeyPackage(unframed(p.t, mls.FormatKeyPackage, b))
	check(p.t, err)
	check(p.t, k.Verify(uint64(time.Now().Unix())))
	return k
}

// agreeTS compares secrets and sends a message each way.
func agreeTS(p *tsPeer, name string, o *own) {
	p.t.Helper()
	got := p.do("secrets", args{"name": name, "label": "label", "context": hex.EncodeToString([]byte("context"))})
	if got["authenticator"] != hex.EncodeToString(o.epoch.EpochAuthenticator()) {
		p.t.Fatalf("epoch authenticators differ; they are in %v, we in %d", got["epoch"], o.epoch.Public().Epoch())
	}
	if got["exported"] != hex.EncodeToString(o.epoch.Export("label", []byte("context"), 40)) {
		p.t.Error("exported secrets differ")
	}
	for range 2 {
		b, err := o.epoch.Encrypt(o.keys, o.key, nil, []byte("from us"), 9)
		check(p.t, err)
		text := p.do("process", args{"name": name, "message": hex.EncodeToString(mls.FrameMessage(mls.FormatPrivateMessage, b))})["text"]
		if text != hex.EncodeToString([]byte("from us")) {
			p.t.Errorf("they read %v", text)
		}
		b = p.bytes("send", "message", args{"name": name, "text": hex.EncodeToString([]byte("from them"))})
		got, _, err := o.epoch.Decrypt(o.keys, unframed(p.t, mls.FormatPrivateMessage, b))
		check(p.t, err)
		if string(got) != "from them" {
			p.t.Errorf("we read %q", got)
		}
	}
}

// tsSuites are those both support.
var tsSuites = []mls.Suite{1, 2, 3, 5, 7}

func TestTS(t *testing.T) {
	for _, s := range tsSuites {
		t.Run(fmt.Sprint("suite ", s), func(t *testing.T) {
			p := newTS(t)
			p.do("psks", args{"list": args{hex.EncodeToString([]byte("door")): hex.EncodeToString([]byte("knock knock"))}})
			t.Run("they join our group, tree inside", func(t *testing.T) { p.t = t; tsJoinsUs(p, s, true) })
			t.Run("they join our group, tree beside", func(t *testing.T) { p.t = t; tsJoinsUs(p, s, false) })
			t.Run("we join their group, tree inside", func(t *testing.T) { p.t = t; weJoinTS(p, s, true) })
			t.Run("they join by themselves", func(t *testing.T) { p.t = t; tsJoinsAlone(p, s) })
			t.Run("we join by ourselves", func(t *testing.T) { p.t = t; weJoinTSAlone(p, s) })
			t.Run("branch of ours", func(t *testing.T) { p.t = t; ourBranch(p, s) })
			t.Run("branch of theirs", func(t *testing.T) { p.t = t; tsBranch(p, s) })
			t.Run("reinit of ours", func(t *testing.T) { p.t = t; ourReInit(p, s) })
			t.Run("reinit of theirs", func(t *testing.T) { p.t = t; tsReInit(p, s) })
		})
	}
}

// meet makes a group of ours that they are in.
func meet(p *tsPeer, s mls.Suite, inline bool) *own {
	p.t.Helper()
	o := newOwn(p.t, s, "ours")
	e, err := mls.Create(s, []byte("our group"), o.pack, o.secret)
	check(p.t, err)
	o.enter(e)
	staged, err := e.Commit(mls.CommitParams{Add: []*mls.KeyPackage{p.keyPackage("k", s)}, Signer: o.key})
	check(p.t, err)
	w, err := staged.Welcome(o.key, nil, inline)
	check(p.t, err)
	a := args{"name": "g", "pack": "k", "welcome": hex.EncodeToString(mls.FrameMessage(mls.FormatWelcome, w))}
	if !inline {
		a["tree"] = hex.EncodeToString(staged.Next.Public().RatchetTree())
	}
	p.do("join", a)
	o.enter(staged.Next)
	agreeTS(p, "g", o)
	return o
}

func tsJoinsUs(p *tsPeer, s mls.Suite, inline bool) { playTS(p, meet(p, s, inline)) }

func weJoinTS(p *tsPeer, s mls.Suite, inline bool) {
	p.t.Helper()
	o := newOwn(p.t, s, "ours")
	p.keyPackage("k", s)
	p.do("create", args{"name": "g", "pack": "k", "group": "aabb"})
	w := p.bytes("commit", "welcome", args{"name": "g", "proposals": []args{{"add": o.packed()}}, "inline": inline})
	e, _, err := mls.Join(unframed(p.t, mls.FormatWelcome, w), o.pack, o.secret, nil)
	check(p.t, err)
	o.enter(e)
	playTS(p, o)
}

func tsJoinsAlone(p *tsPeer, s mls.Suite) {
	p.t.Helper()
	o := newOwn(p.t, s, "ours")
	e, err := mls.Create(s, []byte("open group"), o.pack, o.secret)
	check(p.t, err)
	o.enter(e)
	info, err := e.GroupInfo(o.key, nil, true)
	check(p.t, err)
	p.keyPackage("k", s)
	o.receive(p.bytes("joinExternal", "commit", args{
		"name": "g", "pack": "k", "info": hex.EncodeToString(mls.FrameMessage(mls.FormatGroupInfo, bareExternalPub(p.t, o, info))),
	}))
	playTS(p, o)
}

// bareExternalPub signs a GroupInfo of ours again with the external_pub that
// ts-mls 1.6.4 reads: the key without its length (RFC 9420 section 12.4.3.2 has
// a struct there). The other direction is worked around in peer.mjs.
func bareExternalPub(t *testing.T, o *own, info []byte) []byte {
	t.Helper()
	r := wire.NewReader(info)
	var w wire.Writer
	w.U16(r.U16()) // version
	w.U16(r.U16()) // suite
	w.Vec(r.Vec(1 << 10))
	w.U64(r.U64())
	w.Vec(r.Vec(1 << 10)) // tree hash
	w.Vec(r.Vec(1 << 10)) // transcript hash
	w.Vec(r.Vec(1 << 20)) // extensions of the context
	w.Group(func(w *wire.Writer) {
		r.Each(1<<24, 64, func(r *wire.Reader) {
			kind, data := r.U16(), r.Vec(1<<24)
			if kind == mls.ExtensionExternalPub {
				data = wire.NewReader(data).Vec(1 << 12)
			}
			w.U16(kind)
			w.Vec(data)
		})
	})
	w.Vec(r.Vec(1 << 10)) // confirmation tag
	w.U32(r.U32())        // signer
	r.Vec(1 << 10)
	check(t, r.Done())
	tbs := bytes.Clone(w.Bytes())
	var content wire.Writer
	content.Vec([]byte("MLS 1.0 GroupInfoTBS"))
	content.Vec(tbs)
	return append(tbs, wire.Opaque(o.key.SignRaw(content.Bytes()))...)
}

func weJoinTSAlone(p *tsPeer, s mls.Suite) {
	p.t.Helper()
	o := newOwn(p.t, s, "ours")
	p.keyPackage("k", s)
	p.do("create", args{"name": "g", "pack": "k", "group": "ccdd"})
	info := p.bytes("info", "info", args{"name": "g"})
	staged, err := mls.JoinExternal(mls.ExternalParams{
		GroupInfo: unframed(p.t, mls.FormatGroupInfo, info), Signer: o.key, Identity: []byte("ours"), CredentialTypes: []uint16{2},
	})
	check(p.t, err)
	b, err := mls.SealExternal(staged.Commit)
	check(p.t, err)
	p.do("process", args{"name": "g", "message": hex.EncodeToString(b)})
	o.enter(staged.Next)
	playTS(p, o)
}

// playTS commits on both sides, by value and by reference, in the clear and
// private: empty, add, update, remove, external and resumption keys, extensions.
func playTS(p *tsPeer, o *own) {
	p.t.Helper()
	agreeTS(p, "g", o)
	for _, private := range []bool{false, true} {
		// by value
		_, m := ourCommit(o, mls.CommitParams{Private: private})
		p.do("process", args{"name": "g", "message": m})
		agreeTS(p, "g", o)
		o.receive(p.bytes("commit", "commit", args{"name": "g", "clear": !private}))
		agreeTS(p, "g", o)
		door, err := mls.ExternalPSK(o.suite, []byte("door"))
		check(p.t, err)
		past, err := mls.ResumptionPSK(o.suite, o.psks.Epochs[len(o.psks.Epochs)-2].Public())
		check(p.t, err)
		third := newOwn(p.t, o.suite, "third")
		staged, m := ourCommit(o, mls.CommitParams{
			Add: []*mls.KeyPackage{third.pack}, Proposals: []*mls.Proposal{door, past}, Private: private,
		})
		p.do("process", args{"name": "g", "message": m})
		joinOwn(o, staged, third)
		agreeTS(p, "g", o)
		// their proposals, our commit
		for _, x := range []args{{"remove": third.epoch.OwnLeaf()}, {"psk": hex.EncodeToString([]byte("door"))}} {
			o.receive(p.bytes("propose", "message", args{"name": "g", "clear": !private, "proposal": x}))
		}
		_, m = ourCommit(o, mls.CommitParams{Private: private})
		p.do("process", args{"name": "g", "message": m})
		agreeTS(p, "g", o)
		// our proposals, their commit
		fourth := newOwn(p.t, o.suite, "fourth")
		params := mls.ProposalParams{Signer: o.key, Private: private}
		update, secret, err := o.epoch.ProposeUpdate(params)
		p.do("process", args{"name": "g", "message": o.tell(update, err)})
		o.update = append(o.update, secret)
		p.do("process", args{"name": "g", "message": o.tell(o.epoch.ProposeAdd(fourth.pack, params))})
		p.do("process", args{"name": "g", "message": o.tell(o.epoch.Propose(door, params))})
		answer := p.do("commit", args{"name": "g", "clear": !private, "inline": true})
		o.receive(unhex(p.t, answer["commit"]))
		e, _, err := mls.JoinWith(unframed(p.t, mls.FormatWelcome, unhex(p.t, answer["welcome"])), fourth.pack, fourth.secret, nil, fourth.psks)
		check(p.t, err)
		if !bytes.Equal(e.EpochAuthenticator(), o.epoch.EpochAuthenticator()) {
			p.t.Error("our fourth member disagrees")
		}
		agreeTS(p, "g", o)
		// theirs by value
		o.receive(p.bytes("commit", "commit", args{"name": "g", "clear": !private, "proposals": []args{
			{"remove": e.OwnLeaf()}, {"resumption": o.epoch.Public().Epoch() - 1}, {"extensions": true},
		}}))
		agreeTS(p, "g", o)
	}
}

func ourBranch(p *tsPeer, s mls.Suite) {
	o := meet(p, s, true)
	fresh := newOwn(p.t, s, "ours")
	staged, err := o.epoch.Branch([]byte("branch"), mls.SuccessorParams{
		KeyPackage: fresh.pack, Secret: fresh.secret, Members: []*mls.KeyPackage{p.keyPackage("k2", s)}, Signer: fresh.key,
	})
	check(p.t, err)
	welcomeTS(p, fresh, staged, "branch")
}

func welcomeTS(p *tsPeer, fresh *own, staged *mls.StagedCommit, how string) {
	p.t.Helper()
	w, err := staged.Welcome(fresh.key, nil, true)
	check(p.t, err)
	p.do("join", args{
		"name": "h", "pack": "k2", "from": "g", "how": how, "welcome": hex.EncodeToString(mls.FrameMessage(mls.FormatWelcome, w)),
	})
	fresh.enter(staged.Next)
	agreeTS(p, "h", fresh)
}

func tsBranch(p *tsPeer, s mls.Suite) {
	o := meet(p, s, true)
	fresh := newOwn(p.t, s, "ours")
	p.keyPackage("k2", s)
	answer := p.do("branch", args{"name": "h", "from": "g", "pack": "k2", "members": []string{fresh.packed()}, "group": "b0b0"})
	followTS(p, o, fresh, answer)
}

// followTS joins a group of theirs that grows out of another.
func followTS(p *tsPeer, o, fresh *own, answer map[string]any) {
	p.t.Helper()
	e, _, err := mls.JoinWith(unframed(p.t, mls.FormatWelcome, unhex(p.t, answer["welcome"])), fresh.pack, fresh.secret,
		treeOf(p, "h"), mls.PSKs{Epochs: []*mls.Epoch{o.epoch}})
	check(p.t, err)
	fresh.enter(e)
	agreeTS(p, "h", fresh)
}

// treeOf is the tree of a group of theirs, which some of their Welcomes lack.
func treeOf(p *tsPeer, name string) []byte {
	p.t.Helper()
	_, info, err := mls.OpenGroupInfo(unframed(p.t, mls.FormatGroupInfo, p.bytes("info", "info", args{"name": name})), nil)
	check(p.t, err)
	for _, x := range info.Extensions {
		if x.Type == mls.ExtensionRatchetTree {
			return x.Data
		}
	}
	p.t.Fatal("no tree")
	return nil
}

// next is the suite a reinit goes to.
func next(s mls.Suite) mls.Suite {
	if s == 1 {
		return 3
	}
	return 1
}

func ourReInit(p *tsPeer, s mls.Suite) {
	o := meet(p, s, true)
	to := next(s)
	_, m := ourCommit(o, mls.CommitParams{Proposals: []*mls.Proposal{mls.ReInit([]byte("after"), to, nil)}, NoPath: true})
	p.do("process", args{"name": "g", "message": m})
	fresh := newOwn(p.t, to, "ours")
	staged, err := o.epoch.Reinitialize(mls.SuccessorParams{
		KeyPackage: fresh.pack, Secret: fresh.secret, Members: []*mls.KeyPackage{p.keyPackage("k2", to)}, Signer: fresh.key,
	})
	check(p.t, err)
	welcomeTS(p, fresh, staged, "reinit")
}

func tsReInit(p *tsPeer, s mls.Suite) {
	o := meet(p, s, true)
	to := next(s)
	o.receive(p.bytes("commit", "commit", args{"name": "g", "proposals": []args{{"reinit": "afaf", "suite": to}}}))
	fresh := newOwn(p.t, to, "ours")
	p.keyPackage("k2", to)
	answer := p.do("reinit", args{"name": "h", "from": "g", "pack": "k2", "members": []string{fresh.packed()}, "group": "afaf", "suite": to})
	followTS(p, o, fresh, answer)
}
