using System.Diagnostics;
using Hosting.HostAgent.Configuration;
using Hosting.Protocol;

namespace Hosting.HostAgent.Tests.Real;

/// <summary>One agent process with one nested VM, for all tests of the class; everything is purged at the end.</summary>
public sealed class NestedVmFixture : IAsyncLifetime
{
    public const string Vm = "vm-1";
    public const string Image = "tests/web:1";
    private int _ids;

    public string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("hosting-agent-").FullName;

    public TestHub Hub { get; private set; } = null!;

    public AgentProcess Agent { get; private set; } = null!;

    public string StateDirectory => Path.Combine(Directory, "state");

    internal Names Names => new(StateDirectory, "eu-1", "srv-1");

    public TimeSpan ReadyAfter { get; private set; }

    public async ValueTask InitializeAsync()
    {
        var images = System.IO.Directory.CreateDirectory(Path.Combine(Directory, "images")).FullName;
        BusyboxImage.Write(Path.Combine(images, "web.tar"), Image);
        Hub = await TestHub.StartAsync();
        Agent = new AgentProcess(new
        {
            Region = "eu-1", Server = "srv-1", Hubs = new[] { Hub.Address }, StateDirectory, ImagesDirectory = images,
            Vms = new[] { new { Name = Vm, CpuMillis = 1500, MemoryMiB = 512 } },
        }, Directory);
        var watch = Stopwatch.StartNew();
        Agent.Start();
        await ReadyAsync();
        ReadyAfter = watch.Elapsed;
    }

    private async Task ReadyAsync()
    {
        try
        {
            await Hub.Message(message => message.Utilization?.Vms.Any(vm => vm.Ready) == true, 40);
        }
        catch (TimeoutException error)
        {
            throw new TimeoutException($"{error.Message}\n{Agent.Output}", error);
        }
    }

    public DesiredContainer Web(string name = "web") => new()
    {
        Id = $"{name}-{Interlocked.Increment(ref _ids)}", App = name, Revision = 1, Image = Image, Port = 8080, CpuMillis = 100, MemoryMib = 32,
        HealthCheck = new HealthCheck { Path = "/", IntervalSeconds = 1, TimeoutSeconds = 1, HealthyAfter = 1, UnhealthyAfter = 2, GracePeriodSeconds = 5 },
        StopGraceSeconds = 1,
    };

    public string Docker(string arguments)
    {
        var all = $"-H unix://{StateDirectory}/vms/{Vm}/engine.sock {arguments}";
        return Shell("docker", all.Split(' '));
    }

    public static string Shell(string tool, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(tool, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return output.Trim();
    }

    public int EnginePid() => int.Parse(File.ReadAllText(Path.Combine(StateDirectory, "vms", Vm, "engine.pid")));

    public async ValueTask DisposeAsync()
    {
        await Agent.DisposeAsync();
        await Agent.CommandAsync("purge");
        await Hub.DisposeAsync();
        System.IO.Directory.Delete(Directory, recursive: true);
    }
}
