package layers

// rank is the row of each package, lowest first. A package imports only lower
// rows, never its own.
var rank = map[string]int{
	"internal/wire":       0,
	"internal/search":     0,
	"internal/lookalike":  0,
	"internal/identity":   1,
	"internal/markup":     1,
	"internal/pake":       1,
	"internal/directory":  2,
	"internal/dag":        2,
	"internal/mls":        2,
	"internal/chain":      2,
	"internal/bundle":     2,
	"internal/feed":       3,
	"internal/group":      3,
	"internal/link":       4,
	"internal/store":      4,
	"internal/portmap":    4,
	"internal/mailbox":    5,
	"internal/blob":       5,
	"internal/peer":       5,
	"internal/rendezvous": 5,
	"internal/mailnats":   6,
	"internal/node":       6,
	"internal/api":        7,
	"cmd/kith":            8,
}

// purityLine is the first row that may do I/O, read the clock and start
// goroutines.
const purityLine = 4

// beside are packages that are no room of the table, with the rows they may
// import up to: generated code and the embedded page are leaves that import no
// room at all; test support may import what it tests.
var beside = map[string]int{
	"proto/kith/v1":                -1,
	"proto/kith/v1/kithv1connect":  -1,
	"web":                          -1,
	"internal/link/linktest":       4,
	"internal/mailbox/mailboxtest": 6,
	"internal/natlab":              -1,
	"internal/sim":                 8,
	"internal/layers":              -1,
	"internal/docs":                -1,
	"scripts/dist":                 -1,
	"scripts/mutate":               -1,
	"scripts/soak":                 -1,
}

// leaves may be imported by these rooms only.
var leaves = map[string][]string{
	"proto/kith/v1":               {"internal/api", "cmd/kith"},
	"proto/kith/v1/kithv1connect": {"internal/api", "cmd/kith"},
	"web":                         {"internal/api", "cmd/kith"},
}

// notInCore are the standard packages by which the core could do I/O, wait, or
// differ from one run to the next.
var notInCore = map[string]string{
	"net":         "the core does no I/O: put bytes into Effects and let node send them",
	"os":          "the core does no I/O: files and settings belong to store and cmd",
	"context":     "a Step never waits, so there is nothing to cancel",
	"sync":        "one goroutine owns a machine; a lock in the core hides a second owner",
	"log/slog":    "the core does not log; it returns what happened",
	"log":         "the core does not log; it returns what happened",
	"math/rand":   "choices in the core must be the same on every device",
	"crypto/rand": "secrets come from wire.Random, so that a simulation repeats",
}

// coreExceptions names the one file that may import what the core else must not.
var coreExceptions = map[string]string{
	"crypto/rand": "internal/wire/random.go",
}

// notFromTime are the names of package time that read the clock or wait for it.
var notFromTime = map[string]bool{
	"Now": true, "Since": true, "Until": true, "Sleep": true, "After": true, "AfterFunc": true,
	"Tick": true, "NewTimer": true, "NewTicker": true, "Timer": true, "Ticker": true,
}

// bannedNames say nothing about what a package does.
var bannedNames = map[string]bool{"util": true, "utils": true, "common": true, "helper": true, "helpers": true, "types": true, "misc": true, "base": true}

// maxLines bounds a source file; 400 is the aim, at 600 it is split.
const maxLines = 600

// thirdParty says which packages, or which single file, import each module that
// is not ours; docs/adr/0002-modules.md has the reasons. Tests are free to
// import what thirdPartyTests lists.
var thirdParty = map[string][]string{
	"connectrpc.com/connect":                  {"internal/api", "cmd/kith", "proto/kith/v1/kithv1connect"},
	"github.com/coder/websocket":              {"internal/link/websocket.go"},
	"github.com/gtank/ristretto255":           {"internal/pake/group.go"},
	"github.com/libp2p/go-libp2p":             {"internal/link"},
	"github.com/libp2p/go-netroute":           {"internal/portmap"},
	"github.com/libp2p/go-yamux/v5":           {"internal/link"},
	"github.com/libp2p/zeroconf/v2":           {"internal/link"},
	"github.com/multiformats/go-multiaddr":    {"internal/link"},
	"github.com/multiformats/go-multistream":  {"internal/link"},
	"github.com/quic-go/quic-go":              {"internal/link"},
	"github.com/mdp/qrterminal/v3":            {"cmd/kith"},
	"github.com/ncruces/go-sqlite3":           {"internal/store", "internal/mailbox"},
	"lukechampine.com/adiantum":               {"internal/store"},
	"github.com/nats-io/nats.go":              {"internal/mailnats"},
	"github.com/nats-io/nkeys":                {"internal/mailnats"},
	"github.com/oasisprotocol/curve25519-voi": {"internal/wire/sign.go"},
	"github.com/spf13/cobra":                  {"cmd/kith"},
	"github.com/tyler-smith/go-bip39":         {"internal/identity"},
	"github.com/zalando/go-keyring":           {"cmd/kith/secretservice_linux.go"},
	"golang.org/x/crypto":                     {"internal/mls/suite.go", "internal/store"},
	"golang.org/x/net":                        {"internal/link/packets.go"},
	"golang.org/x/sync":                       {"internal/api", "cmd/kith"},
	"golang.org/x/sys":                        {"internal/store", "internal/api", "internal/natlab", "cmd/kith"},
	"golang.org/x/term":                       {"cmd/kith/terminal.go"},
	"golang.org/x/text":                       {"internal/search", "internal/lookalike"},
	"google.golang.org/protobuf":              {"cmd/kith", "proto/kith/v1"},
	"rsc.io/qr":                               {"internal/api"},
}

// thirdPartyTests are modules that only tests import, anywhere.
var thirdPartyTests = []string{
	"github.com/anacrolix/dht/v2",
	"github.com/anacrolix/torrent",
	"github.com/makiuchi-d/gozxing",
	"github.com/nats-io/nats-server/v2",
	"github.com/rogpeppe/go-internal",
	"golang.org/x/time",
}
