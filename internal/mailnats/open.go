package mailnats

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"kith/internal/mailbox"
)

// Config says which servers keep the items.
type Config struct {
	Servers string // tls://HOST:PORT, or nats://HOST:PORT on this machine, with commas between
	Dir     string // folder of the mailbox, which holds what is named below
	Bounds  mailbox.Bounds
	Log     *slog.Logger // may be nil
}

// Files of the folder.
const (
	seedName = "nats.seed" // secret key by which the servers know this mailbox; drawn if it is not there
	rootName = "nats-ca.pem"
)

var (
	// ErrServers refuses a text that names no servers.
	ErrServers = errors.New("mailnats: servers are tls://HOST:PORT, or nats://HOST:PORT on this machine, with commas between them, and neither user nor password")
	// ErrUnknown: the servers do not know the key of the mailbox.
	ErrUnknown = errors.New("mailnats: the servers do not know the key of this mailbox")
	// ErrOpen: the servers let anybody in.
	ErrOpen = errors.New("mailnats: these servers ask for no key, so that anybody who reaches them could read and delete")
)

// replicas is on how many servers each message lies: three survive the loss of one.
func replicas(servers []string) int {
	if len(servers) < 3 {
		return 1
	}
	return 3
}

// ServersOf checks what Config.Servers is to be.
func ServersOf(text string) ([]string, error) {
	list := strings.Split(text, ",")
	for _, s := range list {
		place, sealed := strings.CutPrefix(s, "tls://")
		place, open := strings.CutPrefix(place, "nats://")
		host, port, err := net.SplitHostPort(place)
		if err != nil || sealed == open || host == "" || port == "" || strings.ContainsAny(place, "@/ ") || open && !onLoopback(host) {
			return nil, ErrServers
		}
	}
	return list, nil
}

func onLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// PublicKey is by what the servers know the mailbox of a folder: the user key of their
// configuration. Its secret is drawn, if there is none.
func PublicKey(dir string) (string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("mailnats: folder: %w", err)
	}
	pair, err := pairOf(dir)
	if err != nil {
		return "", err
	}
	return pair.PublicKey()
}

func pairOf(dir string) (nkeys.KeyPair, error) {
	path := filepath.Join(dir, seedName)
	seed, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		pair, err := nkeys.CreateUser()
		if err != nil {
			return nil, err
		}
		if seed, err = pair.Seed(); err != nil {
			return nil, err
		}
		return pair, mailbox.WriteSecret(path, seed)
	}
	if err != nil {
		return nil, fmt.Errorf("mailnats: key: %w", err)
	}
	pair, err := nkeys.FromSeed([]byte(strings.TrimSpace(string(seed))))
	if err != nil {
		return nil, fmt.Errorf("mailnats: %s holds no key of a user", seedName)
	}
	return pair, nil
}

// Open connects to the servers, makes the stream if there is none, and reads what drops there are.
// The error is ErrOpen, an error of the folder, or says why the servers cannot be used.
func Open(ctx context.Context, cfg Config) (mailbox.Engine, error) {
	servers, err := ServersOf(cfg.Servers)
	if err != nil {
		return nil, err
	}
	lock, err := mailbox.HoldFolder(cfg.Dir)
	if err != nil {
		return nil, err
	}
	e, err := connect(ctx, cfg, servers)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	e.lock = lock
	if err := e.start(ctx, replicas(servers)); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

func connect(ctx context.Context, cfg Config, servers []string) (*engine, error) {
	pair, err := pairOf(cfg.Dir)
	if err != nil {
		return nil, err
	}
	public, err := pair.PublicKey()
	if err != nil {
		return nil, err
	}
	opts := []nats.Option{
		nats.Name("kith mailbox"), nats.Nkey(public, pair.Sign), nats.MaxReconnects(-1), nats.ReconnectWait(tryAgain),
		nats.PingInterval(10 * time.Second), nats.Timeout(oneTry), nats.IgnoreDiscoveredServers(),
	}
	if root := filepath.Join(cfg.Dir, rootName); fileThere(root) {
		opts = append(opts, nats.RootCAs(root))
	}
	nc, err := nats.Connect(strings.Join(servers, ","), opts...)
	if err != nil {
		switch {
		case errors.Is(err, nats.ErrNkeysNotSupported):
			return nil, ErrOpen
		case errors.Is(err, nats.ErrAuthorization):
			return nil, ErrUnknown
		}
		return nil, fmt.Errorf("%w (%w)", ErrCluster, err)
	}
	if cfg.Bounds.Drops == 0 {
		cfg.Bounds.Drops = maxDrops
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	e := &engine{
		bounds: cfg.Bounds.WithDefaults(), log: cfg.Log, stream: stream{nc: nc, log: cfg.Log},
		index: index{drops: make(map[mailbox.Name]*known)},
	}
	for i := range e.turns {
		e.turns[i] = make(chan struct{}, 1)
	}
	e.ctx, e.end = context.WithCancel(context.Background())
	return e, nil
}

func fileThere(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// start opens the stream, and waits until it is known what is in it.
func (e *engine) start(ctx context.Context, replicas int) error {
	opening, cancel := context.WithTimeoutCause(ctx, allTries, ErrCluster)
	defer cancel()
	err := insist(opening, func() error {
		try, cancel := context.WithTimeout(opening, oneTry)
		defer cancel()
		err := e.stream.open(try, replicas)
		if err != nil { // among others: servers that have not found each other yet
			return fmt.Errorf("%w (%w)", errUnsure, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	read, failed := make(chan struct{}), make(chan error, 1)
	e.wg.Go(func() { e.follow(read, failed) })
	select {
	case <-read:
		return nil
	case err := <-failed:
		return fmt.Errorf("%w (%w)", ErrCluster, err)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// follow keeps the index up to date until Close. read is closed once it is complete.
func (e *engine) follow(read chan struct{}, failed chan error) {
	for first := true; e.ctx.Err() == nil; {
		err := e.stream.follow(e.ctx, func(m message) { e.index.learn(m.name, m.record, m.seq) }, func() {
			if first {
				close(read)
				first = false
			}
		})
		if first {
			failed <- err
			return
		}
		if e.ctx.Err() == nil {
			e.log.Warn("the servers are asked anew for what is in the mailbox", "error", err)
			select {
			case <-time.After(followAgain):
			case <-e.ctx.Done():
			}
		}
	}
}
