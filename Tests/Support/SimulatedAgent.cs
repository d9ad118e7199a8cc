using System.Collections.Concurrent;
using System.Threading.Channels;
using Grpc.Core;
using Grpc.Net.Client;
using Hosting.Protocol;

namespace Hosting.Support;

/// <summary>
/// An agent that speaks the real protocol to a real hub and runs nothing: what it is told to start it reports as running at
/// once, and it says of its server's utilization what the test wants.
/// </summary>
public sealed class SimulatedAgent : IAsyncDisposable
{
    private static readonly TimeSpan WelcomeDeadline = TimeSpan.FromSeconds(10);

    private readonly CancellationTokenSource _ended = new();
    private readonly Channel<AgentMessage> _outgoing = Channel.CreateUnbounded<AgentMessage>();
    private readonly ConcurrentDictionary<string, Container> _running = new();
    private readonly ConcurrentDictionary<string, long> _applied = new();
    private readonly GrpcChannel _channel;
    private readonly Hello _identity;
    private Task _conversation = Task.CompletedTask;
    private long _messages;
    private CancellationTokenSource? _stream;

    private SimulatedAgent(string hub, Hello identity)
    {
        _channel = GrpcChannel.ForAddress(hub);
        _identity = identity;
    }

    /// <summary>What it reports as its server's CPU utilization from the next report on.</summary>
    public double Cpu { get; set; } = 0.1;

    /// <summary>Changes a report before it is sent.</summary>
    public Action<Utilization> Measured { get; set; } = _ => { };

    /// <summary>The policy it was told last; null before.</summary>
    public Policy? Policy { get; private set; }

    /// <summary>Whether it keeps its stream open and measures nothing.</summary>
    public bool Silent { get; set; }

    /// <summary>Time between reports.</summary>
    public TimeSpan Period { get; private init; }

    /// <summary>Says what becomes of a container it is told to run; null keeps it starting for ever.</summary>
    public Func<DesiredContainer, Container?> Start { get; set; } = Healthy;

    /// <summary>What it measures when it is asked for a check; null leaves that unanswered.</summary>
    public Func<CheckMeasured?> Check { get; set; } = () => null;

    /// <summary>What its containers write.</summary>
    public SimulatedLogs Logs { get; set; } = new();

    /// <summary>Messages sent and received so far.</summary>
    public long Messages => Interlocked.Read(ref _messages);

    /// <summary>Ids of the containers it runs.</summary>
    public IReadOnlyCollection<string> Running => [.. _running.Keys];

    /// <summary>Completes when the current stream ends.</summary>
    public Task Conversation => _conversation;

    /// <summary>Connects a server with some VMs of equal size.</summary>
    public static async Task<SimulatedAgent> Connect(
        string hub, string region, string server, int vms = 2, int vmCpu = 1_000, int vmMemory = 2_048, Action<Hello>? change = null, TimeSpan? period = null)
    {
        var hello = new Hello { Region = region, Server = server, CpuMillis = vms * vmCpu, MemoryMib = vms * vmMemory * 2 };
        for (var i = 1; i <= vms; i++)
            hello.Vms.Add(new Vm { Name = $"vm-{i}", Driver = "nested", CpuMillis = vmCpu, MemoryMib = vmMemory, Ready = true });
        change?.Invoke(hello);
        var agent = new SimulatedAgent(hub, hello) { Period = period ?? TimeSpan.FromMilliseconds(200) };
        await agent.Connect();
        return agent;
    }

    /// <summary>Opens a stream and waits until the hub welcomes it.</summary>
    /// <exception cref="InvalidOperationException">The hub refused it, with its reason.</exception>
    public async Task Connect()
    {
        if (await Greet() is { } refusal)
            throw new InvalidOperationException(refusal);
    }

    /// <summary>Opens a stream. False when the hub refuses it or is not there; worth another try.</summary>
    public async Task<bool> TryConnect()
    {
        try
        {
            return await Greet() is null;
        }
        catch (Exception failure) when (failure is RpcException or OperationCanceledException)
        {
            return false;
        }
    }

    private async Task<string?> Greet()
    {
        var hello = _identity.Clone();
        hello.Session = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        hello.Containers.AddRange(_running.Values);
        using var late = CancellationTokenSource.CreateLinkedTokenSource(_ended.Token);
        late.CancelAfter(WelcomeDeadline);
        var call = new AgentHub.AgentHubClient(_channel).Connect(cancellationToken: _ended.Token);
        try
        {
            await call.RequestStream.WriteAsync(new AgentMessage { Hello = hello }, late.Token);
            var answer = await call.ResponseStream.MoveNext(late.Token) ? call.ResponseStream.Current : null;
            if (answer?.Welcome is null)
                return answer?.Refused?.Reason ?? "no welcome";
            _conversation = Converse(call);
            call = null;
            return null;
        }
        finally
        {
            call?.Dispose();
        }
    }

    /// <summary>Ends the stream and keeps what runs, for another <see cref="Connect()"/>.</summary>
    public async Task Drop()
    {
        await (_stream?.CancelAsync() ?? Task.CompletedTask);
        await _conversation;
    }

    /// <summary>The VM that a container it runs is in.</summary>
    public string VmOf(string container) => _running.TryGetValue(container, out var running) ? running.Vm : "";

    /// <summary>Reports a container as it is now, for example as failed.</summary>
    public void Report(Container container)
    {
        if (container.State >= ContainerState.Stopped)
            _running.TryRemove(container.Id, out _);
        else
            _running[container.Id] = container;
        var changes = new ContainerChanges();
        changes.Containers.Add(container);
        _outgoing.Writer.TryWrite(new AgentMessage { Containers = changes });
    }

    /// <summary>Ends the stream, as a killed agent does.</summary>
    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        await _conversation;
        _channel.Dispose();
        _ended.Dispose();
    }

    /// <summary>A container that runs and is healthy at once.</summary>
    public static Container Healthy(DesiredContainer desired) => new()
    {
        Id = desired.Id,
        App = desired.App,
        Revision = desired.Revision,
        State = ContainerState.Running,
        Healthy = true,
        Endpoint = "127.0.0.1:9",
        StartedAt = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(),
    };

    private async Task Converse(AsyncDuplexStreamingCall<AgentMessage, HubMessage> call)
    {
        using (call)
        using (var stop = CancellationTokenSource.CreateLinkedTokenSource(_ended.Token))
        {
            _stream = stop;
            var tasks = new[] { Receive(call, stop.Token), Send(call, stop.Token), Measure(stop.Token) };
            await Task.WhenAny(tasks);
            await stop.CancelAsync();
            foreach (var task in tasks)
                await task.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            _stream = null;
        }
    }

    private async Task Receive(AsyncDuplexStreamingCall<AgentMessage, HubMessage> call, CancellationToken cancellation)
    {
        await foreach (var message in call.ResponseStream.ReadAllAsync(cancellation))
        {
            Interlocked.Increment(ref _messages);
            if (message.Desired is { } desired)
                Apply(desired);
            else if (message.ReadLogs is { } read)
                _ = Answer(read, cancellation);
            else if (message.CheckServer is { } asked && Check() is { } measured)
                _outgoing.Writer.TryWrite(new AgentMessage { CheckMeasured = new(measured) { Request = asked.Request } });
            Policy = message.Policy ?? Policy;
        }
    }

    private async Task Send(AsyncDuplexStreamingCall<AgentMessage, HubMessage> call, CancellationToken cancellation)
    {
        await foreach (var message in _outgoing.Reader.ReadAllAsync(cancellation))
        {
            await call.RequestStream.WriteAsync(message, cancellation);
            Interlocked.Increment(ref _messages);
        }
    }

    private async Task Measure(CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(Period);
        do
        {
            if (Silent)
                continue;
            var report = new Utilization { SampledAt = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), Cpu = Cpu, Memory = 0.1, PrimaryCpu = Cpu };
            report.Vms.AddRange(_identity.Vms.Select(vm => new VmReport
            {
                Vm = vm.Name,
                Ready = vm.Ready,
                Reason = vm.Reason,
                AppliedVersion = _applied.GetValueOrDefault(vm.Name),
            }));
            Measured(report);
            _outgoing.Writer.TryWrite(new AgentMessage { Utilization = report });
        }
        while (await timer.WaitForNextTickAsync(cancellation));
    }

    private async Task Answer(ReadLogs read, CancellationToken cancellation)
    {
        var answer = _running.ContainsKey(read.Container) ? await Logs.Read(read, cancellation) : new LogLines { State = LogState.Gone, Next = read.From };
        answer.Request = read.Request;
        _outgoing.Writer.TryWrite(new AgentMessage { LogLines = answer });
    }

    private void Apply(DesiredVm desired)
    {
        _applied[desired.Vm] = desired.Version;
        foreach (var container in desired.Containers)
        {
            if (container.Stop)
                Report(new Container { Id = container.Id, Vm = desired.Vm, State = ContainerState.Stopped });
            else if (!_running.ContainsKey(container.Id) && Start(container) is { } started)
            {
                started.Vm = desired.Vm;
                Report(started);
            }
        }
        var wanted = desired.Containers.Select(c => c.Id).ToHashSet();
        foreach (var orphan in _running.Values.Where(c => c.Vm == desired.Vm && !wanted.Contains(c.Id)).ToList())
            _running.TryRemove(orphan.Id, out _);
    }
}
