package mls

import "testing"

// A vectorPassive is the history of a group as one member sees it who only
// listens: a Welcome, then proposals and commits.
type vectorPassive struct {
	Suite uint16 `json:"cipher_suite"`
	PSKs  []struct {
		ID     hexBytes `json:"psk_id"`
		Secret hexBytes `json:"psk"`
	} `json:"external_psks"`
	KeyPackage    hexBytes `json:"key_package"`
	Encryption    hexBytes `json:"encryption_priv"`
	Init          hexBytes `json:"init_priv"`
	Welcome       hexBytes
	Tree          hexBytes `json:"ratchet_tree"`
	Authenticator hexBytes `json:"initial_epoch_authenticator"`
	Epochs        []struct {
		Proposals     []hexBytes
		Commit        hexBytes
		Authenticator hexBytes `json:"epoch_authenticator"`
	}
}

func TestVectorsPassiveWelcome(t *testing.T) { testPassive(t, "passive-client-welcome") }
func TestVectorsPassiveCommits(t *testing.T) { testPassive(t, "passive-client-handling-commit") }
func TestVectorsPassiveHistory(t *testing.T) { testPassive(t, "passive-client-random") }

func testPassive(t *testing.T, file string) {
	var n tally
	for i, v := range vectors[vectorPassive](t, &n, file) {
		c := n.suiteOf(t, v.Suite)
		if c == nil {
			continue
		}
		e, psks := v.join(t, c)
		equal(t, "authenticator", e.EpochAuthenticator(), v.Authenticator)
		for j, step := range v.Epochs {
			r := e.Ratchets()
			in := Inputs{PSKs: psks}
			for _, b := range step.Proposals {
				h, err := e.Open(r, b)
				if err != nil {
					t.Fatalf("case %d, epoch %d: proposal: %v", i, j, err)
				}
				in.Proposals = append(in.Proposals, h.Proposed)
			}
			h, err := e.Open(r, step.Commit)
			if err != nil {
				t.Fatalf("case %d, epoch %d: commit: %v", i, j, err)
			}
			next, _, err := e.ProcessWith(h.Commit, in)
			if err != nil {
				t.Fatalf("case %d, epoch %d: process: %v", i, j, err)
			}
			equal(t, "authenticator", next.EpochAuthenticator(), step.Authenticator)
			psks.Epochs = append(psks.Epochs, next)
			e = next
		}
	}
	n.log(t)
}

func (v *vectorPassive) join(t *testing.T, c *crypto) (*Epoch, PSKs) {
	t.Helper()
	_, pack, err := UnframeMessage(v.KeyPackage)
	if err != nil {
		t.Fatal(err)
	}
	k, err := ParseKeyPackage(pack)
	if err != nil {
		t.Fatal(err)
	}
	_, welcome, err := UnframeMessage(v.Welcome)
	if err != nil {
		t.Fatal(err)
	}
	psks := PSKs{External: make(map[string][]byte)}
	for _, p := range v.PSKs {
		psks.External[string(p.ID)] = p.Secret
	}
	e, _, err := JoinWith(welcome, k, &KeyPackageSecrets{c.suite, c.padded(v.Init), c.padded(v.Encryption)}, v.Tree, psks)
	if err != nil {
		t.Fatal(err)
	}
	psks.Epochs = []*Epoch{e}
	return e, psks
}

// padded is a private key with the zeros in front that the makers of the
// vectors cut off.
func (c *crypto) padded(private []byte) []byte {
	size := 32
	if a, ok := ecdsaOf[c.suite]; ok {
		size = (a.curve.Params().BitSize + 7) / 8
	}
	return append(make([]byte, max(0, size-len(private))), private...)
}
