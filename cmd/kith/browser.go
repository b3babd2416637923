package main

import (
	"context"
	"fmt"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"
)

// redirectName is a file in the home that sends the browser to the page. A
// login must not stand among the arguments of a program, which every user of the
// machine can read.
const redirectName = "open.html"

// redirectLife is that of the login in it.
const redirectLife = time.Minute

// hasBrowser guesses whether a browser could show up before the person who typed.
func hasBrowser() bool {
	if os.Getenv("SSH_CONNECTION") != "" {
		return false
	}
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		return true
	}
	return os.Getenv("DISPLAY") != "" || os.Getenv("WAYLAND_DISPLAY") != ""
}

// openPage hands the login to the browser, and removes the file it is in once
// the login is too old.
func (p *program) openPage(ctx context.Context, login string) error {
	file, err := writeRedirect(p.home, login)
	if err != nil {
		return err
	}
	defer os.Remove(file)
	if err := startBrowser(file); err != nil {
		fmt.Fprintln(p.err, "kith: No browser could be started: open the address above yourself.")
		return nil
	}
	select {
	case <-time.After(redirectLife):
	case <-ctx.Done():
	}
	return nil
}

// writeRedirect writes the file anew, so that it is nobody else's to read
// from its first byte.
func writeRedirect(home, login string) (string, error) {
	file := filepath.Join(home, redirectName)
	if err := os.Remove(file); err != nil && !os.IsNotExist(err) {
		return "", err
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", err
	}
	_, err = fmt.Fprintf(f, "<!doctype html>\n<meta charset=\"utf-8\">\n<meta name=\"referrer\" content=\"no-referrer\">\n<title>Kith</title>\n"+
		"<meta http-equiv=\"refresh\" content=\"0;url=%s\">\n<p>Opening Kith.</p>\n", html.EscapeString(login))
	if closed := f.Close(); err == nil {
		err = closed
	}
	return file, err
}

// startBrowser asks the system to show a file.
func startBrowser(file string) error {
	name, args := "xdg-open", []string{file}
	switch runtime.GOOS {
	case "darwin":
		name = "open"
	case "windows":
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler", file}
	}
	c := exec.Command(name, args...)
	if err := c.Start(); err != nil {
		return err
	}
	// Some openers stay as long as their browser does, and Kith may end first.
	go func() { _ = c.Wait() }()
	return nil
}
