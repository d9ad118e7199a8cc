using System.Net;
using System.Net.Sockets;
using Docker.DotNet;
using Hosting.HostAgent.Engine;
using Hosting.HostAgent.Vms.Qemu;

namespace Hosting.HostAgent.Tests.Engine;

/// <summary>A machine that stops in the middle of something says nothing more, not even that it is gone.</summary>
public sealed class ContainerEngineTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly TcpListener _silent = new(IPAddress.Loopback, 0);
    private readonly List<Socket> _callers = [];

    public ContainerEngineTests() => _silent.Start(backlog: 1);

    public enum End
    {
        Connecting,
        ShakingHands,
        Answering,
    }

    public void Dispose()
    {
        _callers.ForEach(caller => caller.Dispose());
        _silent.Dispose();
    }

    [Theory]
    [InlineData(End.Connecting)]
    [InlineData(End.ShakingHands)]
    [InlineData(End.Answering)]
    public async Task A_call_to_one_that_is_silent_ends_with_its_deadline(End end)
    {
        if (end == End.Connecting)
            await LeaveNoRoomAsync();
        using Credentials credentials = end == End.ShakingHands ? GuestCertificates.Create("vm-1", TimeProvider.System.GetUtcNow()).Tls() : new EngineTcp();
        using var deadline = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));

        var connecting = ContainerEngine.ConnectAsync(new Uri($"tcp://{_silent.LocalEndpoint}"), "test", credentials, new Version(1, 41), deadline.Token);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connecting.WaitAsync(Patience, TestContext.Current.CancellationToken));
    }

    /// <summary>Connections beyond those that a listener lets wait are not answered.</summary>
    private async Task LeaveNoRoomAsync()
    {
        for (var waiting = 0; waiting < 8; waiting++)
        {
            var caller = new Socket(SocketType.Stream, ProtocolType.Tcp);
            _callers.Add(caller);
            var connecting = caller.ConnectAsync(_silent.LocalEndpoint);
            if (await Task.WhenAny(connecting, Task.Delay(TimeSpan.FromMilliseconds(200))) != connecting)
                return;
        }

        Assert.Fail("the listener takes everything");
    }
}
