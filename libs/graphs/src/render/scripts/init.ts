/**
 * sh(1): makes what is missing of a repository in the claim at $MOUNT_PATH (graph-apps.md 4.8). What is data comes in
 * variables and is never read as an option. It may be killed and repeated at any point.
 */
export const initScript = String.raw`set -e
# Components push as whatever user they run as.
umask 0
HOME=$(mktemp -d)
trap 'rm -rf "$HOME"' EXIT
export HOME GIT_TERMINAL_PROMPT=0 DVC_NO_ANALYTICS=1 DVC_SITE_CACHE_DIR="$HOME"
git config --global safe.directory '*'
git config --global user.name "$USER_NAME"
git config --global user.email "$USER_EMAIL"

cd "$MOUNT_PATH"
rm -rf .unfinished
if [ "$INIT_GIT" = 1 ] && [ ! -e bare.git ]; then
  git init --quiet --bare --shared=0666 "--initial-branch=$DEFAULT_BRANCH" .unfinished
  mv -T .unfinished bare.git
fi
[ "$INIT_ARTIFACT" != 1 ] || mkdir -p artifact

if [ "$INIT_DVC" = 1 ]; then
  command -v dvc > /dev/null || { echo 'dvc is not in this image' >&2; exit 1; }
  git clone --quiet --no-local bare.git "$HOME/work"
  cd "$HOME/work"
  git rev-parse --quiet --verify HEAD > /dev/null || git symbolic-ref HEAD "refs/heads/$DEFAULT_BRANCH"
  [ -e .dvc/config ] || dvc init --quiet
  if [ "$LINK_STORAGE" = 1 ]; then
    dvc remote add --quiet --force --default -- "$STORAGE_REMOTE_NAME" "$STORAGE_REMOTE"
  fi
  git add --all
  git diff --cached --quiet || git commit --quiet --message 'Set up DVC'
  git push --quiet origin HEAD
  cd "$MOUNT_PATH"
fi

# For readers that know no bare repository.
if [ -e bare.git ]; then
  git clone --quiet --no-local bare.git .unfinished
  rm -rf bare_clone
  mv -T .unfinished bare_clone
fi
`;
