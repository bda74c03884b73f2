# The lanes of tests/run. Each lane_NAME prints what it does and ends with lines "N passed, N failed", which are summed;
# run_lane shows the output of a lane that failed. Sourced by tests/run, from the root of the project.

SANITIZED_UNIT_S=600
LANE_S=1500 # a lane that hangs is a lane that died

# Debian and npm packages for the lanes asked for, as one step.
prepare() {
	deploy/install-packages build test node || return
	case " $1 " in
	*" awssim "* | *" asan "* | *" tsan "* | *" contract "* | *" system "* | *" smoke "* | *" quickstart "*) deploy/install-node-modules tests/awssim || return ;;
	esac
	case " $1 " in
	*" system "*) deploy/install-node-modules tests/cron && deploy/install-node-modules tests/webhooks && deploy/install-node-modules tests/jwt && deploy/install-node-modules tests/vectors || return ;;
	esac
	case " $1 " in
	*" contract "*) [ ! -f tests/contract/package-lock.json ] || deploy/install-node-modules tests/contract || return ;;
	esac
}

# Sums the "N passed, N failed" lines of a log.
sum_of() { grep -Eo '^[0-9]+ passed, [0-9]+ failed$' "$1" | awk '{ p += $1; f += $3 } END { print p + 0, f + 0 }'; }

run_lane() {
	local lane=$1 log=$logs/$1.log began=$SECONDS code=0 sums p f
	printf '== %-10s ' "$lane"
	set -m # a process group for the lane and one for its guard, so that each can be ended whole
	( "lane_$lane" ) >"$log" 2>&1 </dev/null &
	local child=$!
	( sleep "$LANE_S" && kill -TERM -- "-$child" ) >/dev/null 2>&1 </dev/null &
	local guard=$!
	set +m
	wait "$child" || code=$?
	kill -TERM -- "-$guard" 2>/dev/null
	wait "$guard" 2>/dev/null
	sums=$(sum_of "$log")
	p=${sums% *} f=${sums#* }
	# Ended badly without a count of failures, or with nothing counted at all: the lane died.
	if { [ "$code" -ne 0 ] && [ "$f" -eq 0 ]; } || [ $((p + f)) -eq 0 ]; then
		f=$((f + 1))
		printf 'lane %s died (exit code %s)\n' "$lane" "$code" >>"$log"
	fi
	passed=$((passed + p))
	failed=$((failed + f))
	printf '%5d passed %3d failed %5ds\n' "$p" "$f" $((SECONDS - began))
	if [ "$f" -gt 0 ]; then
		printf -- '---- %s (whole output: %s)\n' "$lane" "$log"
		grep -Ev '^(\[[0-9]+/[0-9]+\]|\[ +(RUN|OK) +\])' "$log" | tail -n 120
		printf -- '----\n'
	fi
}

jobs_now() { nproc 2>/dev/null || echo 2; }

# build PRESET [TARGET...]
build() {
	local preset=$1
	shift
	cmake --preset "$preset" || return
	ninja -C "build/$preset" -j "$(jobs_now)" "$@"
}

# unit_program FILE: runs one cmocka program; each of its tests counts.
unit_program() {
	local log code=0 p f
	log=$(mktemp)
	timeout "$SANITIZED_UNIT_S" "$1" >"$log" 2>&1 || code=$?
	p=$(grep -c '^\[ *OK *\]' "$log")
	f=$(grep -c '^\[ *FAILED *\] [a-z0-9_]*$' "$log")
	# A report of a sanitizer, a crash, or a program without tests.
	if { [ $code -ne 0 ] && [ "$f" -eq 0 ]; } || [ $((p + f)) -eq 0 ]; then f=$((f + 1)); fi
	if [ "$f" -gt 0 ]; then
		printf '%s: exit code %s\n' "$1" "$code"
		grep -Ev '^\[ +(RUN|OK) +\]' "$log" | tail -n 40
	fi
	printf '%s passed, %s failed\n' "$p" "$f"
	rm -f "$log"
}

# unit_programs FOLDER: every cmocka program there, two at once.
unit_programs() {
	export SANITIZED_UNIT_S
	export -f unit_program
	find "$1/tests" -maxdepth 1 -name 'test_*' -type f -perm -u+x -print0 | sort -z | xargs -0 -P 2 -n 1 bash -c 'unit_program "$1"' unit
}

# pytest_files NAME FILE...: one pytest process; its counts from the JUnit file, for the summary line has many forms.
pytest_files() {
	local report=$logs/$1.xml code=0
	shift
	rm -f "$report"
	/usr/bin/python3 -B -m pytest -q --durations=8 --color=no -c tests/pytest.ini --junitxml="$report" "$@" || code=$?
	/usr/bin/python3 -B tests/lib/junit_counts.py "$report" || return
	[ "$code" -le 1 ] # 2 and more: pytest itself failed, whatever was counted
}

lane_unit() {
	build dev || return
	unit_programs build/dev
}

lane_lint() { tests/lint/run; }

# The other compiler, with its lock analysis: that it builds without a warning is the test.
lane_clang() {
	build clang || return
	echo '1 passed, 0 failed'
	unit_programs build/clang
}

lane_asan() {
	build asan || return
	ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1 unit_programs build/asan
	# The real processes, once through the whole path; and what is hostile by its form.
	ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1 CONNECTORD_BIN=$PWD/build/asan/connectord \
		pytest_files asan-system tests/system/test_smoke.py tests/system/test_vectors.py
}

lane_tsan() {
	build tsan || return
	TSAN_OPTIONS=halt_on_error=1 unit_programs build/tsan
	TSAN_OPTIONS="halt_on_error=0 exitcode=66 suppressions=$PWD/tests/lib/tsan.supp" CONNECTORD_BIN=$PWD/build/tsan/connectord \
		pytest_files tsan-system tests/system/test_smoke.py
}

lane_awssim() {
	local report
	report=$(mktemp)
	# Node's TAP summary: "# pass 12".
	(cd tests/awssim && PATH=$PWD/node_modules/.bin:$PATH node --test --test-reporter=tap "tests/*.test.mjs") >"$report" 2>&1
	grep -E '^not ok|^ +not ok|# (tests|pass|fail) ' "$report" | head -60
	grep -B1 -A18 '^ *not ok' "$report" | head -120
	awk '/^# pass / { p = $3 } /^# (fail|cancelled) / { f += $3 } END { printf "%d passed, %d failed\n", p, f }' "$report"
	rm -f "$report"
}

# The contract is valid OpenAPI and breaks nobody unannounced; what it says and what the server does is compared by tests/system.
lane_contract() {
	if [ ! -f tests/contract/package.json ]; then
		/usr/bin/python3 -B -c 'import yaml; yaml.safe_load(open("api/openapi.yaml"))' || return
		echo '1 passed, 0 failed'
		return
	fi
	# Node as the simulator locks it: the machine's may be too old for the linter.
	(cd tests/contract && PATH=$PWD/../awssim/node_modules/.bin:$PATH REDOCLY_TELEMETRY=off \
		node_modules/.bin/redocly lint ../../api/openapi.yaml --config redocly.yaml) || return
	echo '1 passed, 0 failed'
	# Against the contract that landed last; first that it finds what is planted.
	/usr/bin/python3 -B tests/contract/breaking.py --self-test
	/usr/bin/python3 -B tests/contract/breaking.py
}

# Three files at once, each with its own PostgreSQL: they wait for processes more than they compute. The slow ones go first,
# so that no runner is left alone with them at the end.
SLOW_FILES="tests/system/test_api_sqlmap.py tests/system/test_api_slow.py tests/system/test_api_fronts.py tests/system/test_queue_chaos.py tests/system/test_up.py tests/system/test_sync_faults.py"
system_file() {
	local name
	name=$(basename "$1" .py)
	pytest_files "$name" "$1" >"$logs/$name.log" 2>&1 || printf '%s died\n0 passed, 1 failed\n' "$1" >>"$logs/$name.log"
}

lane_system() {
	build dev || return
	rm -f "$logs"/test_*.log
	CONNECTORD_TEST_CLUSTER=$PWD/$logs/cluster
	/usr/bin/python3 -B tests/system/cluster.py "$CONNECTORD_TEST_CLUSTER" || return
	CONNECTORD_TEST_CALLS=$PWD/$logs/calls
	rm -rf "$CONNECTORD_TEST_CALLS"
	mkdir "$CONNECTORD_TEST_CALLS"
	export logs CONNECTORD_TEST_CLUSTER CONNECTORD_TEST_CALLS
	export -f system_file pytest_files
	{
		ls $SLOW_FILES
		ls -S tests/system/test_*.py
	} 2>/dev/null | awk '!seen[$0]++' | tr '\n' '\0' | xargs -0 -P 3 -n 1 bash -c 'system_file "$1"' system
	# What failed comes last, where whoever sees only the end of the output looks.
	grep -lE '^[0-9]+ passed, 0 failed$' "$logs"/test_*.log | xargs -r cat
	grep -LE '^[0-9]+ passed, 0 failed$' "$logs"/test_*.log | xargs -r cat
	grep -hE '^(FAILED|ERROR) ' "$logs"/test_*.log
	/usr/bin/python3 -B tests/lib/published_calls.py "$CONNECTORD_TEST_CALLS"
	return 0
}

lane_smoke() {
	build dev connectord || return
	pytest_files smoke tests/system/test_smoke.py tests/system/test_cli.py
}

lane_quickstart() {
	local out=$logs/quickstart.out
	deploy/quickstart --once >"$out" || return
	cat "$out"
	/usr/bin/python3 -B tests/lib/quickstart_check.py "$out"
}
