package mls

import (
	"bytes"
	"slices"

	"kith/internal/wire"
)

// An UpdatePath (RFC 9420 section 7.6):
//
//	size field
//	     leaf node, source commit
//	V    nodes of the filtered direct path from below, each
//	       V  encryption_key
//	       V  encrypted_path_secret, one kem_output<V> ciphertext<V> for each
//	          node in the resolution of the copath child, without new leaves
type updatePath struct {
	leaf  *leafNode
	nodes []pathNode
}

type pathNode struct {
	key     []byte
	secrets []sealed
}

func (p *updatePath) write(w *wire.Writer) {
	p.leaf.write(w)
	w.Group(func(w *wire.Writer) {
		for _, n := range p.nodes {
			w.Vec(n.key)
			w.Group(func(w *wire.Writer) {
				for _, s := range n.secrets {
					s.write(w)
				}
			})
		}
	})
}

func readUpdatePath(r *wire.Reader) *updatePath {
	p := &updatePath{leaf: readLeaf(r)}
	r.Each(MaxMessage, 32, func(r *wire.Reader) {
		n := pathNode{key: slices.Clone(r.Vec(maxKey))}
		r.Each(MaxMessage, MaxLeaves, func(r *wire.Reader) { n.secrets = append(n.secrets, readSealed(r)) })
		p.nodes = append(p.nodes, n)
	})
	return p
}

func (p *updatePath) keys() [][]byte {
	keys := make([][]byte, len(p.nodes))
	for i, n := range p.nodes {
		keys[i] = n.key
	}
	return keys
}

// A nodeKey is the private key of one node of the own direct path, or of the
// own leaf. Lists of them go from the leaf up.
type nodeKey struct {
	node    nodeIndex
	private []byte
}

// pathSecrets is what the maker of a path knows.
type pathSecrets struct {
	path    []step
	secrets [][]byte // path_secret of each step
	keys    [][]byte // public keys
	private []nodeKey
	commit  []byte // commit_secret
}

// derivePath goes up from the first path secret (section 7.4): each gives a key
// pair and the next secret; the one past the root is the commit secret.
func (c *crypto) derivePath(path []step, secret []byte) (pathSecrets, error) {
	p := pathSecrets{path: path}
	for _, s := range path {
		node := c.derive(secret, "node")
		private, public, err := c.keyPair(node)
		clear(node)
		if err != nil {
			return p, err
		}
		p.secrets = append(p.secrets, secret)
		p.keys = append(p.keys, public)
		p.private = append(p.private, nodeKey{s.node, private})
		secret = c.derive(secret, "path")
	}
	p.commit = secret
	return p, nil
}

// forget overwrites the path secrets; the keys derived from them stay.
func (p *pathSecrets) forget() {
	for _, s := range p.secrets {
		clear(s)
	}
}

// at is the path secret of node x, or nil.
func (p *pathSecrets) at(x nodeIndex) []byte {
	for i, s := range p.path {
		if s.node == x {
			return p.secrets[i]
		}
	}
	return nil
}

// checkPathKeys checks that the keys of a path are usable, differ from each
// other and appear nowhere in t (section 12.4.2).
func (t *tree) checkPathKeys(leafKey []byte, keys [][]byte) error {
	seen := map[string]bool{string(leafKey): true}
	if t.keys.has(leafKey) {
		return reject("12.4.2", ReasonDuplicateKey)
	}
	for _, k := range keys {
		if !t.crypto.usableKEM(k) {
			return reject("12.4.2", ReasonKey)
		}
		if seen[string(k)] || t.keys.has(k) {
			return reject("12.4.2", ReasonDuplicateKey)
		}
		seen[string(k)] = true
	}
	return nil
}

// putPath sets the leaf and the parents of a path and blanks what else is on
// the direct path (section 7.5). The keys were checked by checkPathKeys.
func (t *tree) putPath(sender uint32, l *leafNode, path []step, parents []*parentNode) error {
	return t.putLeaf(sender, l, func(x nodeIndex, n *node) {
		t.blank(x, n)
		for i, s := range path {
			if s.node == x {
				n.parent = parents[i]
				t.keys = t.keys.with(parents[i].encryptionKey)
			}
		}
	})
}

// mergePath applies a path that came in a commit: key and parent-hash checks,
// then the change. Signature and content of the leaf are the caller's.
func (t *tree) mergePath(sender uint32, p *updatePath) ([]step, error) {
	path := t.filteredPath(sender)
	if len(path) != len(p.nodes) {
		return nil, reject("7.5", ReasonPathLength)
	}
	if err := t.checkPathKeys(p.leaf.encryptionKey, p.keys()); err != nil {
		return nil, err
	}
	parents, leafHash := t.pathParents(path, p.keys())
	if !bytes.Equal(leafHash, p.leaf.parentHash) {
		return nil, reject("7.5", ReasonParentHash)
	}
	return path, t.putPath(sender, p.leaf, path, parents)
}

// recipients is the resolution a path secret is encrypted to: that of the
// copath child, without the leaves added in the same commit (section 7.5).
// added is ascending, as adds fill the tree from the left.
func (t *tree) recipients(s step, added []uint32) []keyAt {
	return slices.DeleteFunc(t.resolution(s.copath, s.sibling, nil), func(k keyAt) bool {
		_, fresh := slices.BinarySearch(added, k.node.leaf())
		return k.node.isLeaf() && fresh
	})
}

// checkRecipients checks that each path secret of p is encrypted for as many
// nodes as there are; which of them can open it only they know.
func (t *tree) checkRecipients(path []step, added []uint32, p *updatePath) error {
	for i, s := range path {
		if len(t.recipients(s, added)) != len(p.nodes[i].secrets) {
			return reject("7.6", ReasonPathLength)
		}
	}
	return nil
}

// encrypt makes the UpdatePath of a path that t has merged; context is the
// provisional GroupContext.
func (t *tree) encrypt(p *pathSecrets, l *leafNode, added []uint32, context []byte) (*updatePath, error) {
	out := &updatePath{leaf: l, nodes: make([]pathNode, len(p.path))}
	for i, s := range p.path {
		out.nodes[i].key = p.keys[i]
		for _, k := range t.recipients(s, added) {
			c, err := t.crypto.seal(k.key, "UpdatePathNode", context, p.secrets[i])
			if err != nil {
				return nil, err
			}
			out.nodes[i].secrets = append(out.nodes[i].secrets, c)
		}
	}
	return out, nil
}

// decrypt finds and opens the path secret for the member at leaf own, derives
// those above it and checks their public keys. private holds its keys of the
// tree before the path was merged.
func (t *tree) decrypt(own, sender uint32, private []nodeKey, path []step, p *updatePath, added []uint32, context []byte) (pathSecrets, error) {
	meet := commonAncestor(own, sender)
	i := slices.IndexFunc(path, func(s step) bool { return s.node == meet })
	if i < 0 || own == sender {
		return pathSecrets{}, reject("7.5", ReasonOwnLeaf)
	}
	for j, k := range t.recipients(path[i], added) {
		at := slices.IndexFunc(private, func(n nodeKey) bool { return n.node == k.node })
		if at < 0 {
			continue
		}
		if j >= len(p.nodes[i].secrets) {
			break
		}
		secret, err := t.crypto.open(private[at].private, "UpdatePathNode", context, p.nodes[i].secrets[j])
		if err != nil {
			return pathSecrets{}, err
		}
		return t.follow(path[i:], secret)
	}
	return pathSecrets{}, reject("7.5", ReasonOwnLeaf)
}

// follow derives the keys of a path from its first secret on and compares them
// with those in the tree.
func (t *tree) follow(path []step, secret []byte) (pathSecrets, error) {
	if len(secret) != t.crypto.nh {
		return pathSecrets{}, reject("7.5", ReasonPathKey)
	}
	got, err := t.crypto.derivePath(path, secret)
	if err != nil {
		return got, err
	}
	for i, s := range path {
		if n := t.at(s.node); n.parent == nil || !bytes.Equal(n.parent.encryptionKey, got.keys[i]) {
			return got, reject("7.5", ReasonPathKey)
		}
	}
	return got, nil
}

// keptKeys is what stays of the private keys when the tree becomes t: those
// whose node is there and has the same public key as in old. Fresh keys
// replace those of the same node.
func (t *tree) keptKeys(old *tree, private, fresh []nodeKey) []nodeKey {
	var kept []nodeKey
	for _, k := range private {
		if !k.node.within(t.leaves) || slices.ContainsFunc(fresh, func(f nodeKey) bool { return f.node == k.node }) {
			continue
		}
		if bytes.Equal(t.at(k.node).publicKey(), old.at(k.node).publicKey()) {
			kept = append(kept, nodeKey{k.node, bytes.Clone(k.private)})
		}
	}
	kept = append(kept, fresh...)
	slices.SortFunc(kept, func(a, b nodeKey) int { return a.node.level() - b.node.level() })
	return kept
}

func (n *node) publicKey() []byte {
	switch {
	case n.leaf != nil:
		return n.leaf.encryptionKey
	case n.parent != nil:
		return n.parent.encryptionKey
	}
	return nil
}
