using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Hosting.Gateway.Tests;

public sealed class DepartureTests(Platform platform)
{
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_gateway_that_was_told_to_stop_finishes_what_it_has_and_ends_connections_with_their_next_answer()
    {
        var finish = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var backend = await Backend.Start("leave-1", async context =>
        {
            if (context.Request.Path == "/slow")
            {
                arrived.SetResult();
                await finish.Task;
            }
            await context.Response.WriteAsync("leave-1");
        });
        platform.Script.App("leave").Put("eu-1", backend.Endpoint);
        await using var gateway = await TestGateway.Start(platform, drainSeconds: 30);
        using var kept = new TcpClient();
        await kept.ConnectAsync(IPAddress.Loopback, gateway.Address.Port, Stop);
        Assert.DoesNotContain("Connection: close", await Ask(kept));
        var slow = gateway.Ask("leave", path: "/slow");
        await arrived.Task.WaitAsync(Stop);

        var stopping = gateway.Stop();
        Assert.Contains("Connection: close", await Ask(kept));
        Assert.Equal("leave-1", (await gateway.Ask("leave")).Body);
        // With nobody asking any more the listener closes long before its time is over, and waits for what is in flight.
        await Eventually.Get(async () => await Refuses(gateway.Address.Port), refuses => refuses);
        Assert.False(stopping.IsCompleted);
        finish.SetResult();
        Assert.Equal("leave-1", (await slow).Body);
        await stopping.WaitAsync(TimeSpan.FromSeconds(10), Stop);
    }

    private static async Task<string> Ask(TcpClient client)
    {
        await client.GetStream().WriteAsync("GET / HTTP/1.1\r\nHost: leave.localhost\r\n\r\n"u8.ToArray(), Stop);
        var buffer = new byte[4096];
        var text = new StringBuilder();
        while (!text.ToString().Contains("leave-1", StringComparison.Ordinal))
            text.Append(Encoding.ASCII.GetString(buffer, 0, await client.GetStream().ReadAsync(buffer, Stop)));
        return text.ToString();
    }

    private static async Task<bool> Refuses(int port)
    {
        try
        {
            using var probe = new TcpClient();
            await probe.ConnectAsync(IPAddress.Loopback, port, Stop);
            return false;
        }
        catch (SocketException)
        {
            return true;
        }
    }
}
