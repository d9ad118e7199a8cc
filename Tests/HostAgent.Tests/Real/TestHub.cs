using System.Collections.Concurrent;
using System.Net;
using System.Threading.Channels;
using Grpc.Core;
using Hosting.Protocol;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Hosting.HostAgent.Tests.Real;

/// <summary>A control plane of one: keeps what the agent reports, and sends what the test wants.</summary>
public sealed class TestHub : AgentHub.AgentHubBase, IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, DesiredVm> _desired = new();
    private readonly Lock _lock = new();
    private readonly List<AgentMessage> _heard = [];
    private readonly Dictionary<string, Container> _containers = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private WebApplication? _app;
    private Channel<HubMessage>? _stream;
    private long _version = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();

    public string Address => _app!.Services.GetRequiredService<Microsoft.AspNetCore.Hosting.Server.IServer>()
        .Features.Get<IServerAddressesFeature>()!.Addresses.Single();

    /// <summary>Reason to refuse the next streams; null welcomes them.</summary>
    public string? Refusal { get; set; }

    /// <summary>How servers are to be kept; null: nothing is said.</summary>
    public Policy? Policy { get; init; }

    public static async Task<TestHub> StartAsync(int port = 0, Policy? policy = null)
    {
        var hub = new TestHub { Policy = policy };
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(hub);
        hub._app = builder.Build();
        hub._app.MapGrpcService<TestHub>();
        await hub._app.StartAsync();
        return hub;
    }

    public override async Task Connect(IAsyncStreamReader<AgentMessage> requestStream, IServerStreamWriter<HubMessage> responseStream, ServerCallContext context)
    {
        if (Refusal is { } reason)
        {
            await responseStream.WriteAsync(new HubMessage { Refused = new Refused { Reason = reason } });
            return;
        }

        var stream = Channel.CreateUnbounded<HubMessage>();
        var writing = WriteAsync(stream, responseStream, context.CancellationToken);
        try
        {
            await foreach (var message in requestStream.ReadAllAsync(context.CancellationToken))
                Hear(message, stream);
        }
        catch (Exception error) when (error is OperationCanceledException or IOException)
        {
            // The agent is gone.
        }

        stream.Writer.TryComplete();
        await writing;
    }

    /// <summary>Sets the desired containers of a VM and sends them.</summary>
    public void Want(string vm, params DesiredContainer[] containers)
    {
        var desired = new DesiredVm { Vm = vm, Version = Interlocked.Increment(ref _version) };
        desired.Containers.AddRange(containers);
        _desired[vm] = desired;
        lock (_lock)
            _stream?.Writer.TryWrite(new HubMessage { Desired = desired });
    }

    /// <summary>Says how its server is to be kept from now on.</summary>
    public void Govern(Policy policy)
    {
        lock (_lock)
            _stream?.Writer.TryWrite(new HubMessage { Policy = policy });
    }

    /// <summary>Asks for lines of a log and waits for the answer.</summary>
    public async Task<LogLines> ReadLogs(ReadLogs read)
    {
        read.Request = Interlocked.Increment(ref _version);
        lock (_lock)
            _stream!.Writer.TryWrite(new HubMessage { ReadLogs = read });
        return (await Message(message => message.LogLines?.Request == read.Request, 20)).LogLines;
    }

    /// <summary>Asks for a check and waits for what was measured.</summary>
    public async Task<CheckMeasured> Check(CheckServer check)
    {
        check.Request = Interlocked.Increment(ref _version);
        lock (_lock)
            _stream!.Writer.TryWrite(new HubMessage { CheckServer = check });
        return (await Message(message => message.CheckMeasured?.Request == check.Request, 20)).CheckMeasured;
    }

    /// <summary>A reader is not needed any more.</summary>
    public void CloseLogs(string reader)
    {
        lock (_lock)
            _stream!.Writer.TryWrite(new HubMessage { CloseLogs = new CloseLogs { Reader = reader } });
    }

    /// <summary>Everything heard so far.</summary>
    public IReadOnlyList<AgentMessage> Heard
    {
        get
        {
            lock (_lock)
                return [.. _heard];
        }
    }

    /// <summary>Forgets what was heard, so that only what comes from now on counts.</summary>
    public void Forget()
    {
        lock (_lock)
        {
            _heard.Clear();
            _containers.Clear();
        }
    }

    public Task<Container> Container(string id, Func<Container, bool> condition, double seconds = 60) =>
        Until(() => _containers.TryGetValue(id, out var found) && condition(found) ? found : null, seconds, () => $"container {id} as wanted; last: {_containers.GetValueOrDefault(id)}");

    public Task<AgentMessage> Message(Func<AgentMessage, bool> condition, double seconds = 60) =>
        Until(() => _heard.LastOrDefault(condition), seconds, () => $"a message as wanted; last: {_heard.LastOrDefault()}");

    public async ValueTask DisposeAsync()
    {
        using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        await _app!.StopAsync(soon.Token);
        await _app.DisposeAsync();
    }

    private async Task<T> Until<T>(Func<T?> find, double seconds, Func<string> expected) where T : class
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                if (find() is { } found)
                    return found;
                changed = _changed.Task;
            }

            try
            {
                await changed.WaitAsync(deadline.Token);
            }
            catch (OperationCanceledException)
            {
                lock (_lock)
                    throw new TimeoutException($"Not within {seconds} s: {expected()}");
            }
        }
    }

    private void Hear(AgentMessage message, Channel<HubMessage> stream)
    {
        lock (_lock)
        {
            _heard.Add(message);
            if (message.KindCase == AgentMessage.KindOneofCase.Hello)
            {
                _stream = stream;
                stream.Writer.TryWrite(new HubMessage { Welcome = new Welcome() });
                if (Policy is not null)
                    stream.Writer.TryWrite(new HubMessage { Policy = Policy });
                foreach (var desired in _desired.Values)
                    stream.Writer.TryWrite(new HubMessage { Desired = desired });
            }

            foreach (var container in message.Hello?.Containers.AsEnumerable() ?? message.Containers?.Containers ?? [])
                _containers[container.Id] = container;
            _changed.TrySetResult();
            _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    private static async Task WriteAsync(Channel<HubMessage> stream, IServerStreamWriter<HubMessage> agent, CancellationToken cancellation)
    {
        try
        {
            await foreach (var message in stream.Reader.ReadAllAsync(cancellation))
                await agent.WriteAsync(message, cancellation);
        }
        catch (Exception error) when (error is OperationCanceledException or InvalidOperationException or IOException)
        {
            // The agent is gone.
        }
    }
}
