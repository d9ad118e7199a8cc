using System.Text.Json;
using System.Text.Json.Serialization;
using Hosting.HostAgent.Configuration;
using Hosting.HostAgent.Files;

namespace Hosting.HostAgent.Elastic;

/// <summary>Settings of each VM beside its data: how to find and empty it though the configuration has it no more.</summary>
/// <param name="directory">Of the VMs.</param>
internal sealed class KeptSettings(string directory)
{
    private const string FileName = "settings.json";
    private static readonly JsonSerializerOptions Json = new() { Converters = { new JsonStringEnumConverter() } };

    /// <summary>Of every VM that has some, by name.</summary>
    public IReadOnlyList<VmSettings> Read() => Directory.Exists(directory)
        ? [.. Directory.EnumerateDirectories(directory).Order(StringComparer.Ordinal).Select(Read).OfType<VmSettings>()]
        : [];

    /// <summary>Keeps those of a VM, to the disk.</summary>
    public void Write(VmSettings vm)
    {
        if (Read(vm.Name) == vm)
            return;
        try
        {
            Directory.CreateDirectory(Path.Combine(directory, vm.Name));
            AtomicFile.Write(FileOf(vm.Name), JsonSerializer.SerializeToUtf8Bytes(vm, Json));
        }
        catch (IOException)
        {
            // A full disk keeps no VM from running.
        }
    }

    /// <summary>The VM is not up: there is nothing to find.</summary>
    public void Forget(string vm)
    {
        if (Directory.Exists(Path.Combine(directory, vm)))
            File.Delete(FileOf(vm));
    }

    /// <summary>Removes all that is left of a VM that is gone.</summary>
    public void Remove(string vm)
    {
        if (Directory.Exists(Path.Combine(directory, vm)))
            Directory.Delete(Path.Combine(directory, vm), recursive: true);
    }

    private VmSettings? Read(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<VmSettings>(File.ReadAllBytes(FileOf(Path.GetFileName(path))), Json);
        }
        catch (Exception error) when (error is IOException or JsonException)
        {
            return null;
        }
    }

    private string FileOf(string vm) => Path.Combine(directory, vm, FileName);
}
