using Hosting.Servers;
using Hosting.Simulation.Tests.ControlPlane;
using Hosting.Simulation.Tests.Time;
using Hosting.Vms;

namespace Hosting.Simulation.Tests.World;

/// <summary>
/// The agent of one server, as far as others see it: its stream with hello, reports and statuses in order, its backoff, the
/// desired state on its disk.
/// </summary>
internal sealed class Agent
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan StreamBreaksAfter = TimeSpan.FromSeconds(4);

    private readonly Region _region;
    private readonly Random _random;
    private readonly Queue<Message> _underWay = new();
    private readonly Dictionary<string, Process> _unsaid = new(StringComparer.Ordinal);
    private readonly Action _everySecond;
    private readonly bool _looksFirst;
    private readonly Action _arrive;
    private ServerPart? _server;
    private VmReport[] _vmReports = [];
    private DateTimeOffset _lastArrival;
    private Turns _stream = new();
    private long _session;
    private bool _connected;
    private bool _connecting;

    public Agent(Region region, Machine machine, Random random)
    {
        (_region, Machine, _random) = (region, machine, random);
        Lifecycle = new Lifecycle(machine, region.Time, random, Say);
        (_everySecond, _arrive, _looksFirst) = (EverySecond, Arrive, random.NextDouble() < 0.5);
    }

    public Machine Machine { get; }

    public Lifecycle Lifecycle { get; }

    /// <summary>Whether its process runs.</summary>
    public bool Alive { get; private set; } = true;

    /// <summary>Whether nothing gets through to the control plane or back.</summary>
    public bool Partitioned { get; private set; }

    /// <summary>How much longer than usual its messages take.</summary>
    public TimeSpan Lag { get; set; }

    /// <summary>Share of its measurements that are lost.</summary>
    public double Loss { get; set; }

    public bool Works => Machine.Powered && Alive;

    private ServerPart Server => _server ??= _region.Server(Machine.Name);

    /// <summary>Connects, and reports from then on; not all servers at the same moment.</summary>
    public void Begin()
    {
        _region.Time.After(Second * _random.NextDouble(), _everySecond);
        Reconnect();
    }

    /// <summary>Its process is killed: the hub mostly sees the stream end. Containers go on.</summary>
    public void Kill()
    {
        Alive = false;
        Hangup(seen: _random.NextDouble() < 0.9);
    }

    public void Revive()
    {
        Alive = true;
        foreach (var engine in Machine.Engines) Lifecycle.Reconcile(engine);
        Reconnect();
    }

    /// <summary>The whole server loses its power, and mostly nobody says so.</summary>
    public void PowerOff()
    {
        Hangup(seen: _random.NextDouble() < 0.3);
        Machine.Powered = false;
        foreach (var engine in Machine.Engines) Lifecycle.PowerOff(engine, "the server lost its power");
    }

    public void PowerOn()
    {
        (Machine.Powered, Alive) = (true, true);
        foreach (var engine in Machine.Engines.Where(e => e.Ready)) Lifecycle.PowerOn(engine);
        Reconnect();
    }

    /// <summary>Cut off. A stream that is cut off for long is over; a short cut only delays what it carries.</summary>
    public void Cut()
    {
        Partitioned = true;
        var session = _session;
        _region.Time.After(StreamBreaksAfter, () =>
        {
            if (Partitioned && session == _session) Hangup(seen: false);
            if (Partitioned && Works) Reconnect();
        });
    }

    public void Heal()
    {
        Partitioned = false;
        Flush();
    }

    /// <summary>What the control plane sent on a stream arrives.</summary>
    public void Take(DesiredVm desired, long session)
    {
        if (!Works || Partitioned || session != _session) return;
        if (Machine.Engines.FirstOrDefault(e => e.Name == desired.Vm) is not { } engine || engine.Desired?.Version >= desired.Version) return;
        engine.Desired = desired;
        _region.Watch.Drains.Told(engine);
        Lifecycle.Reconcile(engine);
    }

    /// <summary>The control plane ends a stream.</summary>
    public void Close(long session)
    {
        if (session == _session && !Partitioned) Lost();
    }

    private void Say(Process process)
    {
        if (!Works) return;
        _unsaid[process.Id] = process;
        Flush();
    }

    private void Flush()
    {
        if (!_connected || Partitioned) return;
        foreach (var process in _unsaid.Values) Send(new Message(_session, null, process.Status));
        _unsaid.Clear();
    }

    /// <summary>One event a server and second: its agent reports, and its grain looks, at some just after the report and at others just before.</summary>
    private void EverySecond()
    {
        _region.Time.After(Second, _everySecond);
        if (_looksFirst) Server.Consider();
        Sample();
        if (!_looksFirst) Server.Consider();
    }

    private void Sample()
    {
        if (!Works) return;
        var (utilization, usage) = Machine.Measure(_region.Time.Seconds);
        Lifecycle.Guard(utilization);
        if (!_connected || Partitioned || (Loss > 0 && _random.NextDouble() < Loss)) return;
        var report = new UtilizationReport
        {
            SampledAt = _region.Time.Now + Machine.ClockSkew, Utilization = utilization, Usage = usage, Vms = VmReports(),
        };
        // Where nothing is in front of it and its way is short, it arrives at once.
        if (_underWay.Count > 0 || Lag > TimeSpan.Zero) Send(new Message(_session, report, null));
        else if (!Server.Report(_session, report)) Lost();
    }

    /// <summary>The same list for as long as it says the same.</summary>
    private IReadOnlyList<VmReport> VmReports()
    {
        for (var i = 0; i < Machine.Engines.Count; i++)
            if (_vmReports.Length == 0 || !Machine.Engines[i].Is(_vmReports[i])) return _vmReports = [.. Machine.Engines.Select(e => e.Report)];
        return _vmReports;
    }

    private void Send(Message message)
    {
        var at = _region.Time.Now + TimeSpan.FromMilliseconds(1 + 20 * _random.NextDouble()) + Lag;
        _lastArrival = at > _lastArrival ? at : _lastArrival;
        _underWay.Enqueue(message);
        _region.Time.At(_lastArrival, _arrive);
    }

    private void Arrive()
    {
        var message = _underWay.Dequeue();
        if (message.Session != _session || !_connected) return;
        if (Partitioned)
        {
            if (message.Status is { } late && Find(late) is { } process) _unsaid[late.Id] = process;
            return;
        }
        if (message.Report is { } report && !Server.Report(message.Session, report)) Lost();
        if (message.Status is not { } status) return;
        var stream = _stream;
        _region.Run(() => stream.Run(() => Forward(message.Session, status)));
    }

    /// <summary>The hub takes one message of a stream after the other. A call that fails ends it: the next hello carries all of it again.</summary>
    private async Task Forward(long session, ContainerStatus status)
    {
        if (session != _session || !_connected) return;
        var taken = false;
        try
        {
            taken = await _region.Network.Call(() => Server.ReportContainers(session, [status]));
        }
        finally
        {
            if (!taken && session == _session) Lost();
        }
    }

    private Process? Find(ContainerStatus status) =>
        Machine.Engines.First(e => e.Name == status.Vm).Processes.GetValueOrDefault(status.Id);

    private void Lost()
    {
        Hangup(seen: true);
        if (Works) Reconnect();
    }

    private void Hangup(bool seen)
    {
        var session = _session;
        var wasConnected = _connected;
        _connected = false;
        _unsaid.Clear();
        if (seen && wasConnected && !Partitioned) _region.Run(() => _region.Network.Call(() => Server.Disconnect(session)));
    }

    private void Reconnect()
    {
        if (!_connecting) _region.Run(Connect);
    }

    private async Task Connect()
    {
        _connecting = true;
        for (var failures = 1; Works && !_connected; failures++)
        {
            var longest = Math.Min(5.0, 0.1 * Math.Pow(2, Math.Min(failures - 1, 10)));
            await _region.Time.Wait(TimeSpan.FromSeconds(longest * (0.5 + _random.NextDouble() / 2)));
            if (Works && !Partitioned) await Greet();
        }
        _connecting = false;
    }

    private async Task Greet()
    {
        var session = _session = Math.Max(_session + 1, _region.Time.Now.ToUnixTimeMilliseconds());
        _stream = new Turns();
        var hello = Hello(session);
        _unsaid.Clear();
        try
        {
            var refusal = await _region.Network.Call(() => Server.Connect(hello, new AgentLink(_region, this, session)));
            if (refusal is not null || !Works || Partitioned || _session != session) return;
        }
        catch (CallFailedException)
        {
            return;
        }
        _connected = true;
        Flush();
    }

    private AgentHello Hello(long session) => new()
    {
        Session = session,
        Server = Machine.Record,
        Vms = [.. Machine.Engines.Select(e => new VmRecord
        {
            Region = Machine.Record.Region, Server = Machine.Name, Name = e.Name, Driver = "nested",
            CpuMillis = e.CpuMillis, MemoryMiB = e.MemoryMiB, Ready = e.Ready, Reason = e.Reason,
        })],
        Containers = [.. Machine.Processes.Select(p => p.Status)],
    };

    private readonly record struct Message(long Session, UtilizationReport? Report, ContainerStatus? Status);
}
