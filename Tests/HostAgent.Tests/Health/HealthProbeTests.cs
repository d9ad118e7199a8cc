using System.Net;
using System.Net.Sockets;
using System.Text;
using Hosting.HostAgent.Health;
using Hosting.Protocol;

namespace Hosting.HostAgent.Tests.Health;

public sealed class HealthProbeTests : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly HealthProbe _probe = new();

    public HealthProbeTests() => _listener.Start();

    private int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    [Theory]
    [InlineData("200 OK", null)]
    [InlineData("302 Found", null)]
    [InlineData("404 Not Found", "GET /up answered 404")]
    [InlineData("503 Service Unavailable", "GET /up answered 503")]
    public async Task An_answer_of_200_to_399_passes(string status, string? expected)
    {
        var serving = ServeAsync($"HTTP/1.1 {status}\r\nLocation: /\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        Assert.Equal(expected, await CheckAsync("/up"));
        await serving;
    }

    [Fact]
    public async Task Without_a_path_a_port_that_accepts_passes_and_a_closed_one_does_not()
    {
        Assert.Null(await CheckAsync(""));
        _listener.Stop();
        Assert.StartsWith("connecting to its port failed", await CheckAsync(""));
    }

    [Fact]
    public async Task Behind_a_proxy_a_connection_has_to_stay_open()
    {
        var rules = HealthRules.From(new HealthCheck { TimeoutSeconds = 1 }) with { Settle = TimeSpan.FromMilliseconds(50) };
        Assert.Null(await _probe.CheckAsync("127.0.0.1", Port, rules, TestContext.Current.CancellationToken));
        var hangUp = HangUpAsync(times: 2);
        Assert.Null(await _probe.CheckAsync("127.0.0.1", Port, rules with { Settle = TimeSpan.Zero }, TestContext.Current.CancellationToken));
        Assert.Equal("its port hangs up at once",
            await _probe.CheckAsync("127.0.0.1", Port, rules with { Settle = TimeSpan.FromSeconds(1) }, TestContext.Current.CancellationToken));
        await hangUp;
    }

    [Theory]
    [InlineData("10.0.0.2", "10.0.0.2:80")]
    [InlineData("engine.example.com", "engine.example.com:80")]
    [InlineData("fd00::2", "[fd00::2]:80")]
    [InlineData("[fd00::2]", "[fd00::2]:80")]
    public void An_address_and_a_port_in_one_text(string address, string expected) => Assert.Equal(expected, HostPort.Of(address, 80));

    [Fact]
    public async Task Silence_fails_after_the_timeout() => Assert.Equal("GET /up took longer than 1 s", await CheckAsync("/up"));

    public void Dispose()
    {
        _listener.Dispose();
        _probe.Dispose();
    }

    private Task<string?> CheckAsync(string path) => _probe.CheckAsync(
        "127.0.0.1", Port, HealthRules.From(new HealthCheck { Path = path, TimeoutSeconds = 1 }), TestContext.Current.CancellationToken);

    private async Task HangUpAsync(int times)
    {
        // The first one is left of the check before, which nobody accepted.
        for (var i = 0; i <= times; i++)
            (await _listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken)).Close();
    }

    private async Task ServeAsync(string answer)
    {
        using var client = await _listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        var buffer = new byte[4096];
        _ = await client.GetStream().ReadAsync(buffer, TestContext.Current.CancellationToken);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(answer), TestContext.Current.CancellationToken);
    }
}
