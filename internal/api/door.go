package api

import (
	"context"
	"errors"
	"net/http"

	"connectrpc.com/connect"

	"kith/internal/store"
	v1 "kith/proto/kith/v1"
	"kith/proto/kith/v1/kithv1connect"
)

// door is the calls that are answered whether or not the home is locked.
type door struct{ server *Server }

// atDoor are those calls; true: of the web side without a token, too.
var atDoor = map[string]bool{
	kithv1connect.KithServiceLoginProcedure:            true,
	kithv1connect.KithServiceNewLoginProcedure:         false,
	kithv1connect.KithServiceStopProcedure:             false,
	kithv1connect.KithServiceGetLockProcedure:          true,
	kithv1connect.KithServiceLockProcedure:             false,
	kithv1connect.KithServiceUnlockProcedure:           true,
	kithv1connect.KithServiceSetPassphraseProcedure:    false,
	kithv1connect.KithServiceChangePassphraseProcedure: false,
	kithv1connect.KithServiceRemovePassphraseProcedure: false,
	kithv1connect.KithServiceSetDuressProcedure:        false,
}

// answer passes a call on to the door, or to the node where one is open.
func (s *Server) answer(door http.Handler) http.Handler {
	refuse := connect.NewErrorWriter()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if byPerson(sideOf(r.Context()), r.URL.Path) {
			s.idle.touch()
		}
		if _, is := atDoor[r.URL.Path]; is {
			door.ServeHTTP(w, r)
			return
		}
		l := s.life.Load()
		if l == nil || !l.enter() {
			// Write fails only where the client is gone.
			_ = refuse.Write(w, r, asConnect(&Error{Reason: ReasonLocked}))
			return
		}
		defer l.calls.Done()
		l.handler.ServeHTTP(w, r)
	})
}

func (d door) Login(_ context.Context, r *v1.LoginRequest) (*v1.LoginResponse, error) {
	token, err := d.server.sessions.login(r.Code)
	if err != nil {
		return nil, asConnect(err)
	}
	return &v1.LoginResponse{Token: token}, nil
}

func (d door) NewLogin(context.Context, *v1.NewLoginRequest) (*v1.NewLoginResponse, error) {
	return &v1.NewLoginResponse{Url: d.server.NewLogin(), Ssh: d.server.SSH()}, nil
}

func (d door) Stop(ctx context.Context, _ *v1.StopRequest) (*v1.StopResponse, error) {
	if sideOf(ctx) != sideSocket {
		return nil, asConnect(&Error{Reason: ReasonSocket})
	}
	d.server.end()
	return &v1.StopResponse{}, nil
}

func (d door) GetLock(context.Context, *v1.GetLockRequest) (*v1.LockState, error) {
	return d.state()
}

func (d door) Lock(ctx context.Context, _ *v1.LockRequest) (*v1.LockState, error) {
	return d.change(ctx, func(context.Context, string) error {
		switch locks, err := d.server.locks(); {
		case err != nil:
			return err
		case !locks:
			return store.ErrNoVault
		}
		return d.server.lock()
	})
}

func (d door) Unlock(ctx context.Context, r *v1.UnlockRequest) (*v1.UnlockResponse, error) {
	passphrase := store.Passphrase(r.Passphrase)
	defer passphrase.Wipe()
	s := d.server
	if sideOf(ctx) != sideSocket {
		if err := s.sessions.guess(); err != nil {
			return nil, asConnect(err)
		}
	}
	state, err := d.change(ctx, func(lives context.Context, _ string) error {
		if !s.locked() {
			return &Error{Reason: ReasonUnlocked}
		}
		if passphrase == nil {
			passphrase = store.Passphrase{} // none at all would be looked for in a key file
		}
		n, err := s.cfg.Open(passphrase)
		if err != nil {
			return err
		}
		return s.begin(lives, n)
	})
	if err != nil {
		return nil, err
	}
	out := &v1.UnlockResponse{Lock: state}
	if sideOf(ctx) != sideSocket {
		out.Token = s.sessions.newToken()
	}
	return out, nil
}

func (d door) SetPassphrase(ctx context.Context, r *v1.SetPassphraseRequest) (*v1.LockState, error) {
	defer store.Passphrase(r.NewPassphrase).Wipe()
	return d.change(ctx, func(_ context.Context, home string) error { return store.SetPassphrase(home, r.NewPassphrase) })
}

func (d door) ChangePassphrase(ctx context.Context, r *v1.ChangePassphraseRequest) (*v1.LockState, error) {
	defer store.Passphrase(r.Passphrase).Wipe()
	defer store.Passphrase(r.NewPassphrase).Wipe()
	return d.change(ctx, func(_ context.Context, home string) error {
		return store.ChangePassphrase(home, r.Passphrase, r.NewPassphrase)
	})
}

func (d door) RemovePassphrase(ctx context.Context, r *v1.RemovePassphraseRequest) (*v1.LockState, error) {
	defer store.Passphrase(r.Passphrase).Wipe()
	return d.change(ctx, func(_ context.Context, home string) error {
		if d.server.locked() {
			return &Error{Reason: ReasonLocked}
		}
		return store.RemovePassphrase(home, r.Passphrase)
	})
}

func (d door) SetDuress(ctx context.Context, r *v1.SetDuressRequest) (*v1.LockState, error) {
	defer store.Passphrase(r.Passphrase).Wipe()
	defer store.Passphrase(r.Duress).Wipe()
	return d.change(ctx, func(_ context.Context, home string) error {
		if len(r.Duress) == 0 {
			return store.RemoveDuress(home, r.Passphrase)
		}
		return store.SetDuress(home, r.Passphrase, r.Duress)
	})
}

// change does something to the lock of the home, and tells how it is then.
func (d door) change(ctx context.Context, do func(lives context.Context, home string) error) (*v1.LockState, error) {
	s := d.server
	if s.cfg.Open == nil {
		return nil, asConnect(&Error{Reason: ReasonNoLock})
	}
	err := s.tell(ctx, func(lives context.Context) error {
		err := do(lives, s.cfg.Home)
		if errors.Is(err, store.ErrWiped) {
			_ = s.lock()               // what it says is of a database that is gone
			_ = store.Wipe(s.cfg.Home) // what could not be removed while it was open
		}
		if err != nil {
			return err
		}
		return s.watch()
	})
	if err != nil {
		return nil, asConnect(err)
	}
	return d.state()
}

func (d door) state() (*v1.LockState, error) {
	locks, err := d.server.locks()
	if err != nil {
		return nil, asConnect(err)
	}
	return &v1.LockState{Locked: d.server.locked(), Passphrase: locks}, nil
}

// locks reports whether the home can be locked.
func (s *Server) locks() (bool, error) {
	if s.cfg.Open == nil {
		return false, nil
	}
	return store.HasVault(s.cfg.Home)
}
