/**
 * sh(1): clones $REPO into $DIR unless something is there (graph-apps.md 4.8). It is given to any image that has git, so
 * it is text and no file. What is data comes in variables and is never read as an option. Killed at any point, the next
 * run goes on from what is there.
 */
export const cloneScript = String.raw`set -e
# Containers of the pod may run as other users.
umask 0
fail() { echo "$1" >&2; exit 1; }
HOME=$(mktemp -d)
trap 'rm -rf "$HOME"' EXIT
export HOME GIT_TERMINAL_PROMPT=0 DVC_NO_ANALYTICS=1 DVC_SITE_CACHE_DIR="$HOME"
# Neither the claim nor the mount point belongs to us.
git config --global safe.directory '*'

readable() {
  [ -r "$1" ] || fail "$1 cannot be read by user $(id -u): give the pods an fsGroup, or run them as root"
}

# Options that the clone keeps, so that components can push.
set --
if [ -n "$CRED_USERNAME" ]; then
  readable "$CRED_USERNAME"
  readable "$CRED_PASSWORD"
  answer='printf "username=%s\npassword=%s\n"'
  answer="$answer \"\$(cat '$CRED_USERNAME')\" \"\$(cat '$CRED_PASSWORD')\""
  set -- "$@" -c "credential.helper=!f() { test \"\$1\" = get && $answer; }; f"
fi
if [ -n "$SSH_PRIVATE_KEY" ]; then
  readable "$SSH_PRIVATE_KEY"
  known=$(dirname "$SSH_PRIVATE_KEY")/known_hosts
  [ -f "$known" ] && check=yes || check=no
  [ -f "$known" ] || known=/dev/null
  ssh="ssh -i '$SSH_PRIVATE_KEY' -o IdentitiesOnly=yes -o BatchMode=yes"
  ssh="$ssh -o StrictHostKeyChecking=$check -o UserKnownHostsFile='$known'"
  set -- "$@" -c "core.sshCommand=$ssh"
fi
case $REPO in /*)
  set -- "$@" -c "remote.origin.uploadpack=git -c safe.directory='$REPO' upload-pack"
  set -- "$@" -c "remote.origin.receivepack=git -c safe.directory='$REPO' receive-pack"
esac

cd "$DIR"
if [ ! -e .git ]; then
  rm -rf .cloning
  [ -z "$(ls -A)" ] || { echo "$DIR is not empty and stays as it is"; exit 0; }
  # A repository without a commit has no branch to be asked for.
  empty=
  if [ -n "$BRANCH" ]; then
    heads=$(git "$@" ls-remote --heads -- "$REPO")
    [ -n "$heads" ] && set -- "$@" "--branch=$BRANCH" || empty=1
  fi
  git clone --quiet --no-checkout --no-local "$@" -- "$REPO" .cloning
  [ -z "$empty" ] || git -C .cloning symbolic-ref HEAD "refs/heads/$BRANCH"
  [ -z "$USER_NAME" ] || git -C .cloning config user.name "$USER_NAME"
  [ -z "$USER_EMAIL" ] || git -C .cloning config user.email "$USER_EMAIL"
  mv .cloning/.git .git
fi
rm -rf .cloning
if [ ! -e .git/index ] && git rev-parse --quiet --verify HEAD > /dev/null; then
  rm -f .git/index.lock
  git reset --quiet --hard
fi

[ -d .dvc ] || exit 0
wanted="$EXTRA_REMOTE_NAME$ACCESS_KEY_ID"
command -v dvc > /dev/null || { [ -z "$wanted" ] || fail 'dvc is not in this image'; exit 0; }
if [ -n "$EXTRA_REMOTE_NAME" ]; then
  default=--default
  [ -z "$(dvc config core.remote 2> /dev/null)" ] || default=
  dvc remote add --quiet --local --force $default -- "$EXTRA_REMOTE_NAME" "$EXTRA_REMOTE"
fi
if [ -n "$ACCESS_KEY_ID" ]; then
  readable "$ACCESS_KEY_ID"
  readable "$SECRET_ACCESS_KEY"
  [ -n "$STORAGE_REMOTE_NAME" ] || STORAGE_REMOTE_NAME=$(dvc config core.remote)
  set -- remote modify --quiet --local --
  dvc "$@" "$STORAGE_REMOTE_NAME" access_key_id "$(cat "$ACCESS_KEY_ID")"
  dvc "$@" "$STORAGE_REMOTE_NAME" secret_access_key "$(cat "$SECRET_ACCESS_KEY")"
fi
# The folder of the claim has another path in each pod.
case $REPO in /*)
  dvc config --list | sed -n 's|^remote\.\(.*\)\.url=.*/artifact$|\1|p' | while read -r name; do
    dvc remote modify --quiet --local -- "$name" url "$(dirname "$REPO")/artifact"
  done
esac
`;
