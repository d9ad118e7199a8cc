using System.Net.Sockets;
using Hosting.HostAgent.Vms;
using Hosting.HostAgent.Vms.Qemu;

namespace Hosting.HostAgent.Tests.Vms;

public sealed class QemuTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("hosting-qemu-").FullName;

    [Fact]
    public void An_image_that_is_not_there_whole_says_how_to_get_one()
    {
        File.WriteAllText(Path.Combine(_directory, "kernel"), "");
        var error = Assert.Throws<VmException>(() => VmImage.Open(_directory));
        Assert.Equal($"{_directory} is no image of a VM (initramfs, base, manifest missing): build one with 'infra/vm-image {_directory}', or set Agent:VmImage.", error.Message);
    }

    [Fact]
    public async Task A_socket_that_a_crash_left_behind_is_told_from_an_emulator()
    {
        var path = Path.Combine(_directory, "qmp.sock");
        using (var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
            socket.Bind(new UnixDomainSocketEndPoint(path));
        var error = await Assert.ThrowsAsync<VmException>(() => QmpClient.ConnectAsync(path, TestContext.Current.CancellationToken));
        Assert.StartsWith($"nobody answers at {path}", error.Message);
    }

    [Fact]
    public async Task Commands_are_answered_between_events_and_refusals_have_the_emulators_words()
    {
        var path = Path.Combine(_directory, "qmp.sock");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        var serving = ServeAsync(listener, """{"QMP": {}}""", """{"return": {}}""", """{"event": "STOP"}""" + "\n" + """{"return": {"status": "paused"}}""",
            """{"error": {"class": "GenericError", "desc": "no such device"}}""");
        using var qmp = await QmpClient.ConnectAsync(path, TestContext.Current.CancellationToken);
        Assert.Equal("paused", (await qmp.ExecuteAsync("query-status", null, TestContext.Current.CancellationToken)).GetProperty("status").GetString());
        var error = await Assert.ThrowsAsync<VmException>(() => qmp.ExecuteAsync("qom-get", new { path = "x" }, TestContext.Current.CancellationToken));
        Assert.Equal("the emulator refused qom-get: no such device", error.Message);
        await serving;
        Assert.Contains("did not answer", (await Assert.ThrowsAsync<VmException>(() => qmp.ExecuteAsync("stop", null, TestContext.Current.CancellationToken))).Message);
    }

    [Fact]
    public void Certificates_of_another_vm_are_not_taken_for_this_one()
    {
        var now = DateTimeOffset.Parse("2026-01-01T00:00:00Z");
        var (ours, other) = (GuestCertificates.Create("vm-1", now), GuestCertificates.Create("vm-1", now));
        using var tls = ours.Tls();
        using var right = System.Security.Cryptography.X509Certificates.X509Certificate2.CreateFromPem(ours.Server);
        using var wrong = System.Security.Cryptography.X509Certificates.X509Certificate2.CreateFromPem(other.Server);
        Assert.True(tls.IsTheVm(this, right, null, SslErrors));
        Assert.False(tls.IsTheVm(this, wrong, null, SslErrors));
        Assert.False(tls.IsTheVm(this, null, null, SslErrors));
    }

    [Fact]
    public async Task A_state_that_cannot_be_saved_leaves_nothing_and_useless_ones_go()
    {
        var states = new SavedStates(_directory);
        var machine = new Machine(new VmImage("k", "i", "b", "1"), new Emulator("qemu 1", "cpu", 1000, "no"), 1, 256, 512);
        await Assert.ThrowsAsync<VmException>(() => states.GetAsync(machine, Fail, TestContext.Current.CancellationToken));
        Assert.Empty(Directory.GetDirectories(_directory));
        var first = await states.GetAsync(machine, Save, TestContext.Current.CancellationToken);
        Assert.Equal("state", File.ReadAllText(first.State));
        Assert.Equal(first, await states.GetAsync(machine, Fail, TestContext.Current.CancellationToken));
        var larger = await states.GetAsync(machine with { MemoryMiB = 512 }, Save, TestContext.Current.CancellationToken);
        Assert.True(Directory.Exists(first.Directory), "another size of the same server");
        await states.GetAsync(machine with { Host = machine.Host with { Version = "qemu 2" } }, Save, TestContext.Current.CancellationToken);
        Assert.False(Directory.Exists(first.Directory) || Directory.Exists(larger.Directory), "no emulator loads them any more");

        static Task Fail(SavedState to)
        {
            File.WriteAllText(to.State, "half");
            throw new VmException("the disk is full");
        }

        static Task Save(SavedState to) => File.WriteAllTextAsync(to.State, "state");
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private const System.Net.Security.SslPolicyErrors SslErrors = System.Net.Security.SslPolicyErrors.RemoteCertificateChainErrors;

    private static async Task ServeAsync(Socket listener, string greeting, params string[] answers)
    {
        using var connection = await listener.AcceptAsync();
        await using var stream = new NetworkStream(connection);
        await stream.WriteAsync(System.Text.Encoding.ASCII.GetBytes(greeting + "\n"));
        var buffer = new byte[4096];
        foreach (var answer in answers)
        {
            _ = await stream.ReadAsync(buffer);
            await stream.WriteAsync(System.Text.Encoding.ASCII.GetBytes(answer + "\n"));
        }
    }
}
