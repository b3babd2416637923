package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"kith/internal/api"
)

// serviceName is what systemd calls it.
const serviceName = "kith.service"

// serviceLine is what service install, remove and status print with --json.
type serviceLine struct {
	File      string `json:"file"`
	Installed bool   `json:"installed"`
	Enabled   bool   `json:"enabled"`
	Running   bool   `json:"running"`
	Home      string `json:"home"`
	Lingering bool   `json:"lingering"` // runs while nobody is logged in
}

// serviceVerb keeps a node running by the system's service manager.
func (p *program) serviceVerb() *cobra.Command {
	return parent("service", "Keep your node running, as a service of your own user",
		p.serviceInstallVerb(), p.serviceRemoveVerb(), p.serviceStatusVerb())
}

func (p *program) serviceInstallVerb() *cobra.Command {
	var s service
	var show bool
	c := &cobra.Command{
		Use:   "install",
		Short: "Start your node now, and whenever you log in",
		Args:  words(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := p.serviceOf(&s); err != nil {
				return err
			}
			if show {
				p.printf("%s", strings.TrimSuffix(s.unit(), "\n"))
				return nil
			}
			return p.installService(c.Context(), s)
		},
	}
	c.Flags().StringVar(&s.listen, "listen", "", "as of kith run")
	c.Flags().StringVar(&s.wss, "wss", "", "as of kith run")
	c.Flags().StringVar(&s.web, "web", "", "as of kith run")
	c.Flags().StringVar(&s.passphraseFile, "passphrase-file", "", "as of kith run")
	c.Flags().BoolVar(&show, "print", false, "print the file of the service, and install nothing")
	return c
}

// serviceOf settles what the service runs.
func (p *program) serviceOf(s *service) error {
	if _, err := api.CheckWeb(s.web); err != nil {
		return &usageError{api.Explain(err).String()}
	}
	if err := checkListen("--listen", s.listen); err != nil {
		return err
	}
	if err := checkListen("--wss", s.wss); err != nil {
		return err
	}
	var err error
	if s.program, err = os.Executable(); err != nil {
		return err
	}
	s.home = p.home
	if s.passphraseFile != "" {
		if s.passphraseFile, err = filepath.Abs(s.passphraseFile); err != nil {
			return err
		}
	}
	return s.check()
}

func (p *program) installService(ctx context.Context, s service) error {
	file, err := serviceFile()
	if err != nil {
		return err
	}
	old, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if home, ours := unitHome(string(old)); err == nil && (!ours || home != quotedUnit(s.home)) {
		return &api.Error{Reason: api.ReasonOtherService, Subject: file}
	}
	if !serviceIs(ctx, "is-active") {
		if running, err := p.runs(ctx); err != nil || running {
			return errors.Join(err, &api.Error{Reason: api.ReasonRunning})
		}
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(file, []byte(s.unit()), 0o600); err != nil {
		return err
	}
	for _, step := range [][]string{{"daemon-reload"}, {"enable", serviceName}, {"restart", serviceName}} {
		if err := systemctl(ctx, step...); err != nil {
			return err
		}
	}
	now := p.lookAtService(ctx, file)
	if p.showValue(now) {
		return nil
	}
	p.println("Kith runs now, and again whenever you log in. A new login for its page: " + p.again("open"))
	if !now.Lingering {
		p.println("It ends when you log out. To let it run from the start of this machine on: loginctl enable-linger")
	}
	p.println("What troubles it: journalctl --user -u kith. To end this: " + p.again("service remove"))
	return nil
}

func (p *program) serviceRemoveVerb() *cobra.Command {
	return &cobra.Command{
		Use:   "remove",
		Short: "End the service; everything that is yours stays",
		Args:  words(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			ctx := c.Context()
			file, err := serviceFile()
			if err != nil {
				return err
			}
			was := p.lookAtService(ctx, file)
			if !was.Installed {
				return &api.Error{Reason: api.ReasonNoService}
			}
			if was.Home == "" {
				return &api.Error{Reason: api.ReasonOtherService, Subject: file}
			}
			if err := systemctl(ctx, "disable", "--now", serviceName); err != nil {
				return err
			}
			if err := os.Remove(file); err != nil {
				return err
			}
			if err := systemctl(ctx, "daemon-reload"); err != nil {
				return err
			}
			if !p.showValue(p.lookAtService(ctx, file)) {
				p.println("Kith has ended and starts by itself no more. Everything that is yours is still in " + was.Home)
			}
			return nil
		},
	}
}

func (p *program) serviceStatusVerb() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Say whether your node is a service, and runs",
		Args:  words(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			file, err := serviceFile()
			if err != nil {
				return err
			}
			s := p.lookAtService(c.Context(), file)
			if p.showValue(s) {
				return nil
			}
			if !s.Installed {
				p.println("Kith is no service here. To make it one: " + p.again("service install"))
				return nil
			}
			p.println("file     " + s.File)
			p.println("home     " + s.Home)
			p.println("starts   " + either(s.Enabled, "when you log in", "not by itself"))
			p.println("running  " + either(s.Running, "yes", "no; journalctl --user -u kith says why"))
			p.println("stays    " + either(s.Lingering, "after you log out", "until you log out; to change that: loginctl enable-linger"))
			return nil
		},
	}
}

func either(is bool, yes, no string) string {
	if is {
		return yes
	}
	return no
}

// lookAtService asks the system how the service is.
func (p *program) lookAtService(ctx context.Context, file string) serviceLine {
	s := serviceLine{File: file}
	unit, err := os.ReadFile(file)
	if err != nil {
		return s
	}
	s.Installed = true
	if home, ours := unitHome(string(unit)); ours {
		s.Home = strings.NewReplacer(`\\`, `\`, `\"`, `"`, `%%`, `%`).Replace(strings.Trim(home, `"`))
	}
	s.Enabled = serviceIs(ctx, "is-enabled")
	s.Running = serviceIs(ctx, "is-active")
	linger, _ := exec.CommandContext(ctx, "loginctl", "show-user", os.Getenv("USER"), "--property=Linger").Output()
	s.Lingering = strings.TrimSpace(string(linger)) == "Linger=yes"
	return s
}

// serviceFile is where the unit belongs, if there may be one here.
func serviceFile() (string, error) {
	if runtime.GOOS != "linux" {
		return "", &api.Error{Reason: api.ReasonNoManager, Subject: runtime.GOOS}
	}
	if os.Geteuid() == 0 {
		return "", &api.Error{Reason: api.ReasonRoot}
	}
	if _, err := exec.LookPath("systemctl"); err != nil {
		return "", &api.Error{Reason: api.ReasonNoManager, Subject: runtime.GOOS}
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", &usageError{"there is no folder for settings here; set HOME"}
	}
	return filepath.Join(dir, "systemd", "user", serviceName), nil
}

// systemctl gives the user's manager an order.
func systemctl(ctx context.Context, order ...string) error {
	out, err := exec.CommandContext(ctx, "systemctl", append([]string{"--user"}, order...)...).CombinedOutput()
	if err == nil {
		return nil
	}
	said, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	if said == "" {
		said = err.Error()
	}
	return &api.Error{Reason: api.ReasonManager, Subject: said, Err: err}
}

// serviceIs asks the user's manager a question that is answered by the exit status.
func serviceIs(ctx context.Context, question string) bool {
	return exec.CommandContext(ctx, "systemctl", "--user", "--quiet", question, serviceName).Run() == nil
}
