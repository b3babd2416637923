package mailnats_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"kith/internal/mailbox"
	"kith/internal/mailnats"
)

// serverConfig, when set, makes the test binary a nats-server with that configuration file: what
// its own program does. boxDir makes it a mailbox on boxServers.
const (
	serverConfig = "KITH_NATS_CONFIG"
	boxDir       = "KITH_NATS_BOX"
	boxServers   = "KITH_NATS_SERVERS"
)

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(serverConfig) != "":
		fmt.Fprintln(os.Stderr, runServer(os.Getenv(serverConfig)))
		os.Exit(1)
	case os.Getenv(boxDir) != "":
		dir := os.Getenv(boxDir)
		fmt.Fprintln(os.Stderr, mailbox.ServeFolder(context.Background(), mailbox.FolderConfig{
			Dir: dir, Listen: "127.0.0.1:0", Ready: func(box string, _ mailbox.Status) { fmt.Println(box) },
			Open: func(ctx context.Context) (mailbox.Engine, error) {
				return mailnats.Open(ctx, mailnats.Config{Servers: os.Getenv(boxServers), Dir: dir})
			},
		}))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func runServer(path string) error {
	opts, err := server.ProcessConfigFile(path)
	if err != nil {
		return err
	}
	opts.NoSigs, opts.NoLog = true, os.Getenv("NATS_LOG") == ""
	s, err := server.NewServer(opts)
	if err != nil {
		return err
	}
	s.ConfigureLogger()
	go s.Start()
	if !s.ReadyForConnections(30 * time.Second) {
		return fmt.Errorf("it does not start")
	}
	fmt.Println("ready")
	s.WaitForShutdown()
	return nil
}

// A process is one that the test started from its own binary.
type process struct {
	t    testing.TB
	env  []string
	cmd  *exec.Cmd
	line string // the first that it said
}

// start starts it, and waits until it is ready.
func (p *process) start() {
	p.t.Helper()
	p.cmd = exec.Command(os.Args[0])
	p.cmd.Env = append(os.Environ(), p.env...)
	p.cmd.Stderr = os.Stderr
	out, err := p.cmd.StdoutPipe()
	must(p.t, err)
	must(p.t, p.cmd.Start())
	p.line, err = bufio.NewReader(out).ReadString('\n')
	must(p.t, err)
}

// kill ends it as a power switch does, but for what the system has yet to write.
func (p *process) kill() {
	p.cmd.Process.Kill()
	p.cmd.Wait() // "signal: killed" is what was wanted
}

// A natsServer is a nats-server process.
type natsServer struct {
	process
	store  string // its folder
	health string // URL that says whether it has caught up
}

// servers starts n nats-servers with the configuration of deploy/mailbox, which know the mailbox of
// a folder, and returns them with what Config.Servers is to be.
func servers(t testing.TB, n int, dir string) (list []*natsServer, text string) {
	t.Helper()
	public, err := mailnats.PublicKey(dir)
	must(t, err)
	tls := certificates(t)
	must(t, os.WriteFile(filepath.Join(dir, "nats-ca.pem"), tls.root, 0o600))
	ports := freePorts(t, 3*n)
	var urls, routes []string
	for i := range n {
		urls = append(urls, "tls://127.0.0.1:"+ports[i])
		routes = append(routes, "tls://127.0.0.1:"+ports[n+i])
	}
	config := "../../deploy/mailbox/nats.conf"
	if n == 1 { // a cluster has three
		b, err := os.ReadFile(config)
		must(t, err)
		b, _, _ = bytes.Cut(b, []byte("\ncluster {"))
		config = filepath.Join(t.TempDir(), "nats.conf")
		must(t, os.WriteFile(config, b, 0o600))
	}
	for i := range n {
		own := t.TempDir()
		s := &natsServer{store: filepath.Join(own, "store"), health: "http://127.0.0.1:" + ports[2*n+i] + "/healthz"}
		s.process = process{t: t, env: []string{
			serverConfig + "=" + config,
			fmt.Sprintf("NATS_NAME=box%d", i+1), "NATS_LISTEN=127.0.0.1:" + ports[i], "NATS_ROUTE=127.0.0.1:" + ports[n+i],
			"NATS_ROUTES=[" + strings.Join(routes, ", ") + "]", "NATS_HEALTH=127.0.0.1:" + ports[2*n+i],
			"NATS_STORE=" + s.store, "MAILBOX_KEY=" + public,
			"NATS_CERT=" + tls.cert, "NATS_KEY=" + tls.key, "NATS_CA=" + filepath.Join(dir, "nats-ca.pem"),
		}}
		s.start()
		t.Cleanup(s.kill)
		list = append(list, s)
	}
	return list, strings.Join(urls, ",")
}

// inStep waits until the server has caught up with the others.
func (s *natsServer) inStep(ctx context.Context) {
	s.t.Helper()
	for {
		r, err := http.Get(s.health)
		if err == nil {
			r.Body.Close()
			if r.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-ctx.Done():
			s.t.Fatal("a server does not catch up")
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// keyFiles are the files of a certificate for 127.0.0.1, and the root that signed it.
type keyFiles struct {
	cert, key string
	root      []byte
}

func certificates(t testing.TB) keyFiles {
	t.Helper()
	public, secret, err := ed25519.GenerateKey(nil)
	must(t, err)
	about := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	cert, err := x509.CreateCertificate(nil, about, about, public, secret)
	must(t, err)
	key, err := x509.MarshalPKCS8PrivateKey(secret)
	must(t, err)
	dir := t.TempDir()
	f := keyFiles{filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})}
	must(t, os.WriteFile(f.cert, f.root, 0o600))
	must(t, os.WriteFile(f.key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), 0o600))
	return f
}

// freePorts are ports that nobody used a moment ago.
func freePorts(t testing.TB, n int) (list []string) {
	t.Helper()
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		defer l.Close()
		_, port, err := net.SplitHostPort(l.Addr().String())
		must(t, err)
		list = append(list, port)
	}
	return list
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
